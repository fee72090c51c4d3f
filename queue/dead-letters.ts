// Reading the dead letters of a destination: one, or a stream in the order of their death. Each is parsed on its own:
// one that something else has overwritten does not hide the others.
import { readJournal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { type Act, letterState, type LetterState, parseActs } from './acts.ts';
import type { DeadLetter } from './letter.ts';
import { ACTS_FIELD, deadQueueName, jobIdOfLetter, prefixOf, rowKeys } from './keys.ts';
import { type LetterFilter, looksInside, matches } from './letter-filter.ts';
import type { Reader } from './reader.ts';

/** Rows are small, and are read many at a time; letters may hold bodies of megabytes. */
const PAGE = 200;
const READ = 20;

/** Where letters are read from. */
export type Source = Pick<Reader, 'client'>;

/** A letter as it stands: where it is, and what was done to it. */
export interface FiledLetter extends DeadLetter {
  state: LetterState;
  /** The oldest first. */
  acts: Act[];
}

/** What is known of a letter without its data. */
type Known = Pick<FiledLetter, 'id' | 'destination' | 'jobId' | 'deadAt' | 'state' | 'acts'>;
/** Stands in the place of a letter whose data is none; its other fields are missing. */
export type UnreadableLetter = Known & {
  /** Why, in words. */
  unreadable: string;
} & { [Missing in Exclude<keyof FiledLetter, keyof Known>]?: never };

export interface Selection {
  /** `open` ones when left out; replayed and discarded ones are ordered by the time of that act. */
  state?: LetterState;
  /** The oldest first unless it is `newest`. */
  first?: 'oldest' | 'newest';
  filter?: LetterFilter;
}

/** @returns the letter, or undefined when there is none under this id that can be read */
export async function getLetter(reader: Source, destination: string, id: string): Promise<FiledLetter | undefined> {
  const letter = await lookAtLetter(reader, destination, id);
  return letter && !('unreadable' in letter) ? letter : undefined;
}

/** The same, and what stands in the place of a letter that cannot be read; its `deadAt` is not known then, and 0. */
export async function lookAtLetter(
  reader: Source,
  destination: string,
  id: string,
): Promise<FiledLetter | UnreadableLetter | undefined> {
  const [letter] = await read(reader, destination, [{ id, at: 0 }]);
  return letter;
}

/** The letters of one destination, a page at a time; what dies meanwhile comes at the end, or not at all. */
export async function* letters(
  reader: Reader,
  destination: string,
  { state = 'open', first = 'oldest', filter = {} }: Selection = {},
): AsyncGenerator<FiledLetter | UnreadableLetter> {
  const bounds = state === 'open' ? filter : {};
  const low = bounds.since === undefined ? '-inf' : String(bounds.since);
  const high = bounds.before === undefined ? '+inf' : `(${bounds.before}`;
  for await (const page of pages(reader, setOf(destination, state), first, low, high)) {
    for (let from = 0; from < page.length; from += READ) {
      for (const letter of await read(reader, destination, page.slice(from, from + READ))) {
        if (isMeant(letter, filter)) yield letter;
      }
    }
  }
}

/** Of what cannot be read nothing is known but where it is, and since when. */
export const isMeant = (letter: FiledLetter | UnreadableLetter, filter: LetterFilter): boolean =>
  'unreadable' in letter ? !looksInside(filter) : matches(letter, filter);

/** How many letters a destination has. */
export async function countLetters(reader: Reader, destination: string, state: LetterState = 'open'): Promise<number> {
  return reader.client.zcard(setOf(destination, state));
}

/** Where letters of a state are: the open ones in a row by time of death, the others in BullMQ's finished sets. */
function setOf(destination: string, state: LetterState): string {
  const dead = `${prefixOf(destination)}:${deadQueueName(destination)}`;
  switch (state) {
    case 'open':
      return rowKeys(destination).byTime;
    case 'replayed':
      return `${dead}:completed`;
    case 'discarded':
      return `${dead}:failed`;
  }
}

interface Row {
  id: string;
  /** Epoch ms. */
  at: number;
}

/** Rows in order. Those of the same millisecond may be cut by a page: the next one starts with that millisecond again. */
async function* pages(
  reader: Reader,
  key: string,
  first: 'oldest' | 'newest',
  low: string,
  high: string,
): AsyncGenerator<Row[]> {
  let from = first === 'oldest' ? low : high;
  let seen = new Set<string>();
  for (;;) {
    const count = PAGE + seen.size;
    const replies =
      first === 'oldest'
        ? await reader.client.zrangebyscore(key, from, high, 'WITHSCORES', 'LIMIT', 0, count)
        : await reader.client.zrevrangebyscore(key, from, low, 'WITHSCORES', 'LIMIT', 0, count);
    const page = toRows(replies);
    const fresh = page.filter(({ id }) => !seen.has(id));
    const last = fresh.at(-1);
    if (!last) return;
    yield fresh;
    const sameTime = page.filter(({ at }) => at === last.at).map(({ id }) => id);
    seen = String(last.at) === from ? new Set([...seen, ...sameTime]) : new Set(sameTime);
    from = String(last.at);
  }
}

/** From ids and scores in turn. */
function toRows(replies: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i + 1 < replies.length; i += 2) rows.push({ id: replies[i] ?? '', at: Number(replies[i + 1]) });
  return rows;
}

async function read(
  reader: Source,
  destination: string,
  rows: readonly Row[],
): Promise<(FiledLetter | UnreadableLetter)[]> {
  const base = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  const pipeline = reader.client.pipeline();
  for (const { id } of rows) pipeline.hmget(base + id, 'data', ACTS_FIELD);
  const replies = (await pipeline.exec()) ?? [];
  return rows.flatMap(({ id, at }, i): (FiledLetter | UnreadableLetter)[] => {
    const [error, reply] = replies[i] ?? [];
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    const [data, text] = Array.isArray(reply) ? (reply as (string | null)[]) : [];
    // Gone since its row was read.
    if (!error && typeof data !== 'string') return [];
    const letter = typeof data === 'string' ? parse(data) : undefined;
    const acts = parseActs(text);
    if (letter) return [{ ...letter, state: letterState(acts), acts }];
    const unreadable = 'cannot be read: what stands in its place is no dead letter';
    return [{ id, destination, jobId: jobIdOfLetter(id), deadAt: at, state: letterState(acts), acts, unreadable }];
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
