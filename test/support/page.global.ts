// Before the tests: the page as it is written now.
import { buildPage, isStale } from '../../dashboard/build/page.ts';

export default async function setup(): Promise<void> {
  // The tests that look at the page say that it is not there.
  if (await isStale()) {
    await buildPage().catch((error: Error) => process.stderr.write(`the page cannot be built: ${error.message}\n`));
  }
}
