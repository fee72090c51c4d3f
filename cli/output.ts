// What is printed as data: documents as JSON, or a table for people.
import { stripVTControlCharacters } from 'node:util';
import { CliError } from './exit-codes.ts';
import type { Io } from './io.ts';
import { write } from './io.ts';

/** What a terminal or a line reader could take for more than text, all of it allowed raw in JSON. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of JSON, the same value, in characters that no terminal obeys. */
export function jsonLine(document: unknown): string {
  return JSON.stringify(document).replace(UNSAFE_IN_JSON, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** ndjson: a document a line. json: one array of them, an element a line. Both as they come. */
export async function printDocuments(
  { stdout }: Pick<Io, 'stdout'>,
  format: 'json' | 'ndjson',
  documents: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<void> {
  let separator = '[\n';
  for await (const document of documents) {
    await write(stdout, format === 'json' ? separator + jsonLine(document) : `${jsonLine(document)}\n`);
    separator = ',\n';
  }
  if (format === 'json') await write(stdout, separator === '[\n' ? '[]\n' : '\n]\n');
}

/** For the commands that print in one form only. @throws CliError USAGE when another was asked for */
export function refuseOutput(output: string | undefined, why: string): void {
  if (output !== undefined) throw new CliError('USAGE', `-o ${output} is not for this command: ${why}`);
}

const GAP = '  ';
const lengthOf = (cell: string): number => stripVTControlCharacters(cell).length;

/** Columns as wide as their widest cell; colour does not count. @param indent before every line */
export function layOut(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, lengthOf(cell))));
  return rows
    .map((row) => {
      const cells = row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - lengthOf(cell)));
      return `${indent}${cells.join(GAP).trimEnd()}\n`;
    })
    .join('');
}
