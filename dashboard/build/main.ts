// npm run page: builds the page. `--if-stale` does nothing where it is newer than its sources; `--to` names a folder.
import { parseArgs } from 'node:util';
import { buildPage, isStale } from './page.ts';

const { values } = parseArgs({ options: { 'if-stale': { type: 'boolean' }, to: { type: 'string' } } });
if (!values['if-stale'] || (await isStale())) {
  await buildPage(values.to).catch((error: Error) => {
    process.stderr.write(`the page cannot be built: ${error.message}\n`);
    process.exitCode = 1;
  });
}
