// Reading the dead letters of a destination, newest first or as a stream of all. Each is parsed on its own: one that
// something else has overwritten does not hide the others.
import { readJournal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import type { DeadLetter } from './letter.ts';
import { deadQueueName, jobIdOfLetter, prefixOf, rowKeys } from './keys.ts';
import type { Reader } from './reader.ts';

const PAGE = 200;

/** What is known of a letter from its row alone. */
type Known = Pick<DeadLetter, 'id' | 'destination' | 'jobId' | 'deadAt'>;
/** Stands in the place of a letter whose data is none; its other fields are missing. */
export type UnreadableLetter = Known & {
  /** Why, in words. */
  unreadable: string;
} & { [Missing in Exclude<keyof DeadLetter, keyof Known>]?: never };

/** @returns the letter, or undefined when there is none under this id that can be read */
export async function getLetter(reader: Reader, destination: string, id: string): Promise<DeadLetter | undefined> {
  const [letter] = await read(reader, destination, [{ id, at: 0 }]);
  return letter && !('unreadable' in letter) ? letter : undefined;
}

/** The newest letters of one destination. */
export async function listLetters(
  reader: Reader,
  destination: string,
  limit: number,
): Promise<(DeadLetter | UnreadableLetter)[]> {
  const rows = await reader.client.zrevrange(rowKeys(destination).byTime, 0, limit - 1, 'WITHSCORES');
  return read(reader, destination, toRows(rows));
}

/** Every letter of a destination, the oldest first, a page at a time; what dies meanwhile comes at the end. */
export async function* exportLetters(
  reader: Reader,
  destination: string,
): AsyncGenerator<DeadLetter | UnreadableLetter> {
  const key = rowKeys(destination).byTime;
  let from = 0;
  // Letters of the same millisecond may be cut by a page: the next page starts with that millisecond again.
  let seen = new Set<string>();
  for (;;) {
    const rows = await reader.client.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, PAGE + seen.size);
    const page = toRows(rows);
    const fresh = page.filter(({ id }) => !seen.has(id));
    const last = fresh.at(-1);
    if (!last) return;
    yield* await read(reader, destination, fresh);
    const sameTime = page.filter(({ at }) => at === last.at).map(({ id }) => id);
    seen = last.at === from ? new Set([...seen, ...sameTime]) : new Set(sameTime);
    from = last.at;
  }
}

/** How many letters a destination has. */
export async function countLetters(reader: Reader, destination: string): Promise<number> {
  return reader.client.zcard(rowKeys(destination).byTime);
}

/** The destination and id of the letter that holds a request_id, among those given. */
export async function letterOfRequestId(
  reader: Reader,
  names: readonly string[],
  requestId: string,
): Promise<{ destination: string; id: string } | undefined> {
  for (const destination of names) {
    const id = await reader.client.hget(rowKeys(destination).byRequestId, requestId);
    if (id !== null) return { destination, id };
  }
  return undefined;
}

interface Row {
  id: string;
  /** Epoch ms of the write's death. */
  at: number;
}

/** From ids and scores in turn. */
function toRows(replies: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i + 1 < replies.length; i += 2) rows.push({ id: replies[i] ?? '', at: Number(replies[i + 1]) });
  return rows;
}

async function read(
  reader: Reader,
  destination: string,
  rows: readonly Row[],
): Promise<(DeadLetter | UnreadableLetter)[]> {
  if (rows.length === 0) return [];
  const base = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  const pipeline = reader.client.pipeline();
  for (const { id } of rows) pipeline.hget(base + id, 'data');
  const replies = (await pipeline.exec()) ?? [];
  return rows.flatMap(({ id, at }, i): (DeadLetter | UnreadableLetter)[] => {
    const [error, data] = replies[i] ?? [];
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    // Gone since its row was read.
    if (!error && typeof data !== 'string') return [];
    const letter = typeof data === 'string' ? parse(data) : undefined;
    if (letter) return [letter];
    const unreadable = 'cannot be read: what stands in its place is no dead letter';
    return [{ id, destination, jobId: jobIdOfLetter(id), deadAt: at, unreadable }];
  });
}

const TEXTS = ['id', 'destination', 'jobId', 'reason', 'because', 'verdict'];
const NUMBERS = ['deadAt', 'enqueuedAt', 'lost'];

/** @returns undefined where a field is missing that every reader counts on */
function parse(data: string): DeadLetter | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const fields = value;
  const whole =
    TEXTS.every((name) => typeof fields[name] === 'string') &&
    NUMBERS.every((name) => Number.isFinite(fields[name])) &&
    readJournal(fields.journal) === fields.journal;
  return whole ? (fields as unknown as DeadLetter) : undefined;
}
