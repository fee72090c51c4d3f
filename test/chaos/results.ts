// The results file: a line of JSON for each campaign of the published run. Campaigns add to it.
import { appendFile, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Result } from './run.ts';

const FILE = fileURLToPath(new URL('results/published.jsonl', import.meta.url));

/**
 * @returns every line
 * @throws Error where a campaign stands twice, or a line is none: what it holds is counted, and nothing may count twice
 */
export async function readResults(): Promise<Result[]> {
  const text = await readFile(FILE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return resultsIn(text);
}

/** @throws as readResults */
export function resultsIn(text: string): Result[] {
  const lineOf = new Map<string, number>();
  return text.split('\n').flatMap((line, i) => {
    if (line === '') return [];
    const result = parsed(line, i + 1);
    const name = `fault ${result.fault} with seed ${result.seed}`;
    const before = lineOf.get(name);
    if (before !== undefined)
      throw new Error(`${FILE}: lines ${before} and ${i + 1} are both of ${name}; take one out`);
    lineOf.set(name, i + 1);
    return [result];
  });
}

function parsed(line: string, at: number): Result {
  try {
    return JSON.parse(line) as Result;
  } catch (cause) {
    throw new Error(`${FILE}: line ${at} is no JSON`, { cause });
  }
}

export const addResult = (result: Result): Promise<void> => appendFile(FILE, `${JSON.stringify(result)}\n`);
