// Before the tests: the page as it is written now.
import { buildPage, isStale } from '../../dashboard/build/page.ts';

export default async function setup(): Promise<void> {
  if (await isStale()) await buildPage();
}
