// Reading the dead letters of a destination: one, or a stream in the order of their death. Each is parsed on its own:
// one that something else has overwritten does not hide the others.
import { readJournal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { type Act, letterState, type LetterState, parseActs } from './acts.ts';
import type { DeadLetter } from './letter.ts';
import { ACTS_FIELD, deadQueueName, jobIdOfLetter, prefixOf } from './keys.ts';
import { type LetterFilter, looksInside, matches } from './letter-filter.ts';
import type { Reader } from './reader.ts';
import { foldRows, inRows, type LetterCursor, type Row, type Rows, rowsFor, type Source } from './rows.ts';
import { wholeLetter } from './stored-letter.ts';

export type { LetterCursor, Source } from './rows.ts';

/** Rows are small, and are read many at a time; letters may hold bodies of megabytes. */
const PAGE = 200;
const READ = 20;
/** What one search looks into, where no row tells: so many letters, and so many characters of them. */
export const MAX_SEARCHED = 2000;
const MAX_SEARCHED_LENGTH = 16_000_000;

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
  /** Goes on behind this one. */
  after?: LetterCursor;
}

export interface LetterPage {
  letters: (FiledLetter | UnreadableLetter)[];
  /** Give it as `after`; missing where there are no more. Also where the bound of a search has ended the page early. */
  next?: LetterCursor;
  /** Letters that were looked into because no row tells; 0 where the rows told all. */
  scanned: number;
}

export interface LetterCount {
  count: number;
  /** There may be more: the bound of a search has ended the count. */
  atLeast: boolean;
  /** Letters that were looked into because no row tells; missing where the rows told all. */
  scanned?: number;
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
  const [letter] = await lookAtLetters(reader, destination, [id]);
  return letter;
}

/** The same of several, each in its place. */
export async function lookAtLetters(
  reader: Source,
  destination: string,
  ids: readonly string[],
): Promise<(FiledLetter | UnreadableLetter | undefined)[]> {
  const rows = ids.map((id) => ({ id, at: 0 }));
  return (await read(reader, destination, rows)).map(({ letter }) => letter);
}

/** The letters of one destination, all of them; what dies meanwhile comes at the end, or not at all. */
export async function* letters(
  reader: Reader,
  destination: string,
  { state = 'open', first = 'oldest', filter = {}, after }: Selection = {},
): AsyncGenerator<FiledLetter | UnreadableLetter> {
  const rows = inRows(reader, await rowsFor(reader, destination, state, filter), first, after, PAGE);
  for (let batch = await take(rows, READ); batch.length > 0; batch = await take(rows, READ)) {
    for (const { letter } of await read(reader, destination, batch)) {
      if (letter && isMeant(letter, filter)) yield letter;
    }
  }
}

/**
 * A page of the letters that are meant.
 * @param limit letters of a page, at least 1; `scanLimit`: that are looked into at most
 */
export async function pageOfLetters(
  reader: Reader,
  destination: string,
  selection: Selection & { limit: number; scanLimit?: number },
): Promise<LetterPage> {
  const { state = 'open', first = 'oldest', filter = {}, after, limit, scanLimit = MAX_SEARCHED } = selection;
  const found = await rowsFor(reader, destination, state, filter);
  const isSearch = found.searched.length > 0;
  const rows = inRows(reader, found, first, after, isSearch ? PAGE : Math.min(PAGE, limit + 1));
  const page: LetterPage = { letters: [], scanned: 0 };
  let length = 0;
  let last: LetterCursor | undefined;
  for (;;) {
    const wanted = limit - page.letters.length;
    const isOver = wanted === 0 || page.scanned >= scanLimit || length > MAX_SEARCHED_LENGTH;
    const most = isSearch ? Math.min(READ, scanLimit - page.scanned) : Math.min(READ, wanted);
    const batch = await take(rows, last && isOver ? 1 : Math.max(1, most));
    if (batch.length === 0) return page;
    if (last && isOver) return { ...page, next: last };
    for (const [i, { letter, size }] of (await read(reader, destination, batch)).entries()) {
      const { at, id, searched } = batch[i] as Row;
      if (page.letters.length === limit) return { ...page, ...(last && { next: last }) };
      last = { at, id };
      length += size;
      if (searched) page.scanned += 1;
      if (letter && isMeant(letter, filter)) page.letters.push(letter);
    }
  }
}

/**
 * How many letters are meant: exactly, where the rows tell.
 * @throws the reason of a signal that ends the search
 */
export async function countLetters(
  reader: Reader,
  destination: string,
  { state = 'open', filter = {}, ...bounds }: { state?: LetterState; filter?: LetterFilter } & SearchBounds = {},
): Promise<LetterCount> {
  const rows = await rowsFor(reader, destination, state, filter);
  const folded = await foldRows(reader, rows.exact, rows);
  const count = folded.reduce((sum, row) => sum + row.count, 0);
  if (rows.searched.length === 0) return { count, atLeast: false };
  const { found, scanned, atLeast } = await search(reader, destination, rows, filter, bounds);
  return { count: count + found.length, atLeast, scanned };
}

/** Of a search where rows do not tell: how many are looked into at most, and what ends it before. */
export interface SearchBounds {
  scanLimit?: number;
  signal?: AbortSignal | undefined;
}

/** Looks into letters where no row tells, the newest first. @returns when those died that are meant, epoch ms */
export async function search(
  reader: Reader,
  destination: string,
  { searched, since, before }: Rows,
  filter: LetterFilter,
  { scanLimit = MAX_SEARCHED, signal }: SearchBounds = {},
): Promise<{ found: number[]; scanned: number; atLeast: boolean }> {
  const bounds = { ...(since !== undefined && { since }), ...(before !== undefined && { before }) };
  const rows = inRows(reader, { exact: [], searched, ...bounds }, 'newest', undefined, PAGE);
  const found: number[] = [];
  let scanned = 0;
  let length = 0;
  for (;;) {
    signal?.throwIfAborted();
    const isOver = scanned >= scanLimit || length > MAX_SEARCHED_LENGTH;
    const batch = await take(rows, isOver ? 1 : Math.min(READ, scanLimit - scanned));
    if (batch.length === 0 || isOver) return { found, scanned, atLeast: batch.length > 0 };
    scanned += batch.length;
    for (const { letter, size } of await read(reader, destination, batch)) {
      length += size;
      if (letter && isMeant(letter, filter)) found.push(letter.deadAt);
    }
  }
}

/** Of what cannot be read nothing is known but where it is, and since when. */
export const isMeant = (letter: FiledLetter | UnreadableLetter, filter: LetterFilter): boolean =>
  'unreadable' in letter ? !looksInside(filter) : matches(letter, filter);

async function take(rows: AsyncGenerator<Row>, count: number): Promise<Row[]> {
  const taken: Row[] = [];
  while (taken.length < count) {
    const next = await rows.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

interface Look {
  /** Missing where it is gone since its row was read. */
  letter?: FiledLetter | UnreadableLetter;
  /** Characters. */
  size: number;
}

/** One for each row, in its place. */
async function read(reader: Source, destination: string, rows: readonly LetterCursor[]): Promise<Look[]> {
  const base = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  const pipeline = reader.client.pipeline();
  for (const { id } of rows) pipeline.hmget(base + id, 'data', ACTS_FIELD, 'timestamp');
  const replies = (await pipeline.exec()) ?? [];
  return rows.map(({ id, at }, i): Look => {
    const [error, reply] = replies[i] ?? [];
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    const [data, text, diedAt] = Array.isArray(reply) ? (reply as (string | null)[]) : [];
    if (!error && typeof data !== 'string') return { size: 0 };
    const jobId = jobIdOfLetter(id);
    const letter =
      typeof data === 'string' ? parse(data, { id, destination, jobId, deadAt: Number(diedAt ?? at) }) : undefined;
    const size = data?.length ?? 0;
    const acts = parseActs(text);
    if (letter) return { letter: { ...letter, state: letterState(acts), acts }, size };
    const unreadable = 'cannot be read: what stands in its place is no dead letter';
    const known = { id, destination, jobId, deadAt: at, state: letterState(acts), acts };
    return { letter: { ...known, unreadable }, size };
  });
}

const TEXTS = ['id', 'destination', 'jobId', 'reason', 'because', 'verdict'];
const NUMBERS = ['deadAt', 'enqueuedAt', 'lost'];

/**
 * @param known what the letter's key and job say. Letters of an older version say it themselves, and are whole.
 * @returns undefined where a field is missing that every reader counts on
 */
function parse(
  data: string,
  known: Pick<DeadLetter, 'id' | 'destination' | 'jobId' | 'deadAt'>,
): DeadLetter | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const fields = 'destination' in value ? value : wholeLetter(value, known);
  if (!fields) return undefined;
  const whole =
    TEXTS.every((name) => typeof fields[name] === 'string') &&
    NUMBERS.every((name) => Number.isFinite(fields[name])) &&
    readJournal(fields.journal) === fields.journal;
  return whole ? (fields as unknown as DeadLetter) : undefined;
}
