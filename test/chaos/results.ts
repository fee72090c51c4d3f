// The results file: a line of JSON for each campaign of the published run. Campaigns add to it.
import { appendFile, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Result } from './run.ts';

const FILE = fileURLToPath(new URL('results/published.jsonl', import.meta.url));

export async function readResults(): Promise<Result[]> {
  const text = await readFile(FILE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Result);
}

export const addResult = (result: Result): Promise<void> => appendFile(FILE, `${JSON.stringify(result)}\n`);
