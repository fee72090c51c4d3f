// Standard input or a file by lines, in bounded memory: a line that is too long is told as such and passed over.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { codeOf } from '../core/outcome.ts';
import { CliError } from './exit-codes.ts';
import type { Io } from './io.ts';

const LINE_BREAK = 0x0a;
export const MAX_LINE_BYTES = 6 * 1024 * 1024;

/** `text` is missing where the line is not to be read, and `wrong` says why. */
export type Line = { number: number; text: string } | { number: number; wrong: string };

/** @returns the lines of each chunk as it comes, so that a slow writer is answered without waiting for more */
export async function* readLines(input: AsyncIterable<Buffer | string>): AsyncGenerator<Line[]> {
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const finish = (): Line => {
    const line = toLine((number += 1), parts, bytes);
    parts = [];
    bytes = 0;
    return line;
  };
  for await (const given of input) {
    const chunk = typeof given === 'string' ? Buffer.from(given) : given;
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_BREAK); end >= 0; end = chunk.indexOf(LINE_BREAK, from)) {
      keep(chunk.subarray(from, end));
      lines.push(finish());
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (bytes > 0) yield [finish()];
}

function toLine(number: number, parts: readonly Buffer[], bytes: number): Line {
  if (bytes > MAX_LINE_BYTES) return { number, wrong: `is longer than ${MAX_LINE_BYTES} bytes` };
  try {
    // Strict: what is no UTF-8 would be sent as something else. A byte order mark at the start is dropped.
    return { number, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)) };
  } catch {
    return { number, wrong: 'is not UTF-8' };
  }
}

/** @param flag that names the file, for messages. @throws CliError USAGE when it is not there or is no file */
export async function openInput({ cwd }: Pick<Io, 'cwd'>, flag: string, name: string): Promise<Readable> {
  try {
    const file = await open(resolve(cwd, name));
    if (!(await file.stat()).isDirectory()) return file.createReadStream();
    await file.close();
  } catch (error) {
    throw new CliError('USAGE', `${flag} ${name} cannot be read (${codeOf(error)})`, error);
  }
  throw new CliError('USAGE', `${flag} ${name} is a folder`);
}
