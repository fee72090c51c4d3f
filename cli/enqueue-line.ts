// One write of `waybill enqueue`: from the JSON text of a line, or from the fields that flags give, to an item of addBulk
// or to what is wrong with it.
import { randomUUID } from 'node:crypto';
import { isRecord, parseKeepingDigits } from '../core/json.ts';
import type { AddOptions, BulkItem, WriteInput } from '../producer/index.ts';
import { parseIsoTime } from './iso-time.ts';
import type { Line } from './read-lines.ts';

interface Keyed extends BulkItem {
  data: WriteInput & { idempotencyKey: string };
}

/** `givenKey` is the line's own; what is invalid is not answered with one that was made for it. */
export type WriteLine =
  | { line: number; item: Keyed; givenKey?: string }
  | { line: number; wrong: { field?: string; message: string } };

const WRITE_FIELDS = ['method', 'path', 'headers', 'body', 'idempotencyKey'];
const OPTION_FIELDS = ['delay', 'priority', 'maxAttempts', 'expiresAt'];
const NO_TIME =
  'expiresAt: must be an ISO time with its zone, such as "2026-11-22T17:01:02Z", that exists, or milliseconds since 1970';

/** @returns undefined for a blank line */
export function parseWriteLine(given: Line): WriteLine | undefined {
  const line = given.number;
  if ('wrong' in given) return { line, wrong: { message: `the line ${given.wrong}` } };
  if (given.text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = parseKeepingDigits(given.text);
  } catch {
    // The parser's own words quote the line, which may be anything.
    return { line, wrong: { message: 'the line is not JSON' } };
  }
  return isRecord(value) ? toWriteLine(line, value) : { line, wrong: { message: 'the line is not a JSON object' } };
}

/**
 * The fields of a write and of its options beside each other; one that is undefined is not there. They are judged by
 * addBulk; here only what it cannot see.
 * @returns with a key in any case: a write without one gets it now, so that its answer can name it whatever happens
 */
export function toWriteLine(line: number, fields: Record<string, unknown>): WriteLine {
  const unknown = Object.keys(fields).find((name) => !WRITE_FIELDS.includes(name) && !OPTION_FIELDS.includes(name));
  if (unknown !== undefined) {
    const field = unknown.slice(0, 80);
    const message = `${field}: is not a field of a write; allowed are ${[...WRITE_FIELDS, ...OPTION_FIELDS].join(', ')}`;
    return { line, wrong: { field, message } };
  }
  const pick = (names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
  const data = { idempotencyKey: randomUUID(), ...pick(WRITE_FIELDS) } as unknown as Keyed['data'];
  const opts = optionsOf(pick(OPTION_FIELDS));
  if (opts === undefined) return { line, wrong: { field: 'options.expiresAt', message: NO_TIME } };
  const item: Keyed = { name: 'send', data, opts };
  return typeof fields.idempotencyKey === 'string' ? { line, item, givenKey: fields.idempotencyKey } : { line, item };
}

/** @returns undefined when expiresAt is no time; addBulk would ask for a Date, which JSON has not */
function optionsOf(given: Record<string, unknown>): AddOptions | undefined {
  const options = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, asNumber(value)]));
  const { expiresAt } = options;
  if (expiresAt === undefined || typeof expiresAt === 'number') return options;
  const at = typeof expiresAt === 'string' ? parseIsoTime(expiresAt) : undefined;
  return at === undefined ? undefined : { ...options, expiresAt: at };
}

/** Options are ours, not the API's: `1e3` and `5.0` are the numbers they mean. */
const asNumber = (value: unknown): unknown => (JSON.isRawJSON(value) ? Number(JSON.stringify(value)) : value);
