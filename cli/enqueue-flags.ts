// `waybill enqueue` with flags: what they may be together, and the one write they say.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InvalidArgumentError } from 'commander';
import { codeOf } from '../core/outcome.ts';
import { toWriteLine, type WriteLine } from './enqueue-line.ts';
import { CliError } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import type { GlobalFlags } from './settings.ts';

export const ENQUEUE_HELP = `
One write:  waybill enqueue sms --path /v1/messages --body '{"to":"+4512345678"}' --key order-17
Many:       waybill enqueue sms < writes.ndjson, or --file writes.ndjson
With --path standard input is left alone, unless --body-file - reads the body there.

A line: {"method":"POST","path":"/v1/…","body":{…},"headers":{…},"idempotencyKey":"…","delay":ms,"priority":n,"maxAttempts":n,"expiresAt":"ISO time or epoch ms"}
Only method and path are needed. A body keeps the digits of its numbers; a body that is a string is JSON text.
Each write is answered: {"line","status":"queued|duplicate|conflict|invalid|refused|unavailable","idempotencyKey","jobId","error"},
as ndjson unless -o says otherwise. On a terminal one write is a row, and of many those alone that were not queued.
Feeding the same keys again is safe: what stands in the queue is a duplicate.`;

/** A header as `--header` gives it; several are kept in order. */
export type Header = [name: string, value: string];

export interface EnqueueFlags extends GlobalFlags {
  file?: string;
  path?: string;
  method?: string;
  body?: string;
  bodyFile?: string;
  header?: Header[];
  key?: string;
  delay?: number;
  priority?: number;
  maxAttempts?: number;
  expiresAt?: string;
}

/** The flags that say something about one write, as they are typed. */
const OF_ONE_WRITE = {
  method: '--method',
  body: '--body',
  bodyFile: '--body-file',
  header: '--header',
  key: '--key',
  delay: '--delay',
  priority: '--priority',
  maxAttempts: '--max-attempts',
  expiresAt: '--expires-at',
} as const satisfies Partial<Record<keyof EnqueueFlags, string>>;

/** `name: value`, for commander. The names are judged with the write. */
export function readHeader(text: string, before: Header[] = []): Header[] {
  const [, name, value] = /^([^:\s]+)\s*:\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be NAME: VALUE.');
  if (before.some(([other]) => other.toLowerCase() === name.toLowerCase()))
    throw new InvalidArgumentError(`${name} is given twice.`);
  return [...before, [name, value]];
}

/**
 * Whether the flags say one write; without --path the writes stand in lines.
 * @throws CliError USAGE for flags that contradict each other
 */
export function saysOneWrite(flags: EnqueueFlags): boolean {
  const names = Object.keys(OF_ONE_WRITE) as (keyof typeof OF_ONE_WRITE)[];
  const given = names.filter((name) => flags[name] !== undefined).map((name) => OF_ONE_WRITE[name]);
  const [first] = given;
  if (flags.path === undefined) {
    if (first === undefined) return false;
    throw new CliError(
      'USAGE',
      `${first} says something about one write: give --path too. For many writes it stands in each line`,
    );
  }
  if (flags.file !== undefined)
    throw new CliError('USAGE', '--path is for one write, --file for the lines of many: give one of them');
  checkOneBody(flags);
  return true;
}

/** @throws CliError USAGE when the body cannot be read, or is no JSON */
export async function writeOfFlags(io: Io, flags: EnqueueFlags): Promise<WriteLine> {
  const { path, method = 'POST', header, key, delay, priority, maxAttempts, expiresAt } = flags;
  const body = await bodyOfFlags(io, flags);
  return toWriteLine(1, {
    path,
    method,
    body,
    headers: header && Object.fromEntries(header),
    idempotencyKey: key,
    delay,
    priority,
    maxAttempts,
    expiresAt: expiresAt !== undefined && /^\d+$/.test(expiresAt) ? Number(expiresAt) : expiresAt,
  });
}

/** @throws CliError USAGE when the body is given twice, cannot be read, or is no JSON */
export async function bodyOfFlags(io: Io, flags: Pick<EnqueueFlags, 'body' | 'bodyFile'>): Promise<string | undefined> {
  checkOneBody(flags);
  const { bodyFile } = flags;
  const body = bodyFile === undefined ? flags.body : await readBody(io, bodyFile);
  if (body !== undefined) checkBody(body, bodyFile === undefined ? '--body' : `--body-file ${bodyFile}`);
  return body;
}

function checkOneBody({ body, bodyFile }: Pick<EnqueueFlags, 'body' | 'bodyFile'>): void {
  if (body !== undefined && bodyFile !== undefined)
    throw new CliError('USAGE', '--body and --body-file both give the body: give one of them');
}

/** In the shell's terms; the contract's own words are those of a program that adds a write. */
function checkBody(text: string, from: string): void {
  if (text.trim() === '') throw new CliError('USAGE', `${from} is empty: leave it out for a write without a body`);
  try {
    JSON.parse(text);
  } catch {
    // The parser's own words quote the body, which may be anything.
    throw new CliError(
      'USAGE',
      `${from} is not JSON. It may be an object, '{"to":"+4512345678"}', or any other JSON value; a text stands in double quotes inside the single ones, '"hello"'`,
    );
  }
}

/** As it stands, byte for byte: what is no UTF-8 would be sent as something else. */
async function readBody(io: Io, name: string): Promise<string> {
  if (name === '-' && io.stdin.isTTY) say(io, 'the body, as JSON; Ctrl-D ends');
  let bytes: Buffer;
  try {
    bytes = name === '-' ? await buffer(io.stdin) : await readFile(resolve(io.cwd, name));
  } catch (error) {
    throw new CliError('USAGE', `--body-file ${name} cannot be read (${codeOf(error)})`, error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CliError('USAGE', `--body-file ${name}: the body is not UTF-8`, error);
  }
}
