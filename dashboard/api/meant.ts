// Which letters a filter of the API means, and how they are read: the one way of the list, the count, the groups, the
// histogram, the export and the bundle.
import type { DashboardContext } from './app.ts';
import type { LetterFilterQuery } from './contract/filter.ts';
import type { Place } from './cursor.ts';
import { notFound } from './errors.ts';
import { merge, type Merged, type Part, type Spot } from './merge.ts';
import { maskingOf } from './shown/masking.ts';
import { holdsShownText } from './text-search.ts';
import {
  countLetters,
  type FiledLetter,
  type LetterCursor,
  pageOfLetters,
  type UnreadableLetter,
} from '../../queue/dead-letters.ts';
import { type LetterFilter, WITHOUT } from '../../queue/letter-filter.ts';
import type { Reader } from '../../queue/reader.ts';

export type Letter = FiledLetter | UnreadableLetter;

/** Letters that one request looks into at most, over all destinations, where no row tells. */
const SCAN_LIMIT = 20_000;
/** Held at once: bodies may have megabytes. */
const CHUNK = 50;

/** What every reading needs. */
export interface Meant {
  config: DashboardContext['config'];
  reader: Reader;
  query: LetterFilterQuery;
  signal: AbortSignal;
}

/** @throws ApiError NOT_FOUND for a destination that was never used and is not configured */
export async function destinationsMeant(
  { config, reader }: Pick<Meant, 'config' | 'reader'>,
  only?: string,
): Promise<string[]> {
  const used = await reader.destinations();
  if (only === undefined) return used;
  if (used.includes(only)) return [only];
  if (Object.hasOwn(config.destinations, only)) return [];
  throw notFound(`no destination ${JSON.stringify(only)}; there are ${used.join(', ') || 'none yet'}`);
}

/** What the rows and the letters' own data tell. The text is left out: what is masked must not be found by it. */
export function filterOf(query: Omit<LetterFilterQuery, 'state'>): LetterFilter {
  const { destination: _destination, q: _q, replayed, without, ...rest } = query;
  const { state: _state, ...asked } = rest as LetterFilterQuery;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return {
    ...given,
    ...(without !== undefined && { without: WITHOUT.filter((name) => without.split(',').includes(name)) }),
    ...(replayed !== undefined && { replayed: replayed === 'yes' }),
  };
}

/** Open letters stand in the order of their deaths, the others in that of the last act. */
export function spotOfLetter({ deadAt, acts, id }: Letter, state: LetterFilterQuery['state']): Spot {
  return { at: state === 'open' ? deadAt : (acts.at(-1)?.at ?? deadAt), id };
}

/** A page over all destinations that are meant. @param show what is kept of each letter */
export async function pageOf<T>(
  meant: Meant,
  { first, after, limit }: { first: 'newest' | 'oldest'; after?: Place | undefined; limit: number },
  show: (letter: Letter) => T,
): Promise<Merged<T>> {
  const names = await destinationsMeant(meant, meant.query.destination);
  const scanLimit = shareOf(names);
  return merge(names, { first, after, limit }, (destination, from) =>
    partOf(meant, destination, { first, limit, scanLimit, ...(from && { after: from }) }, show),
  );
}

/** Every destination gets the same: one that has much to look into hides none of the others. */
export const shareOf = (names: readonly string[]): number =>
  Math.max(CHUNK, Math.floor(SCAN_LIMIT / Math.max(1, names.length)));

interface Range {
  first: 'newest' | 'oldest';
  after?: LetterCursor;
  limit: number;
  scanLimit: number;
}

async function partOf<T>(
  meant: Meant,
  destination: string,
  range: Range,
  show: (letter: Letter) => T,
): Promise<Part<T>> {
  const { reader, query, signal } = meant;
  const { state, q } = query;
  const { first, limit } = range;
  const filter = filterOf(query);
  const isMeant = q === undefined ? undefined : textFinder(meant, destination, q);
  const part: Part<T> = { items: [], scanned: 0 };
  let after = range.after;
  while (part.scanned < range.scanLimit) {
    signal.throwIfAborted();
    const scanLimit = range.scanLimit - part.scanned;
    const most = isMeant ? Math.min(CHUNK, scanLimit) : Math.min(CHUNK, limit - part.items.length);
    const options = { state, filter, first, limit: most, scanLimit, ...(after && { after }) };
    const read = await pageOfLetters(reader, destination, options);
    for (const letter of read.letters) {
      if (isMeant?.(letter) === false) continue;
      const spot = spotOfLetter(letter, state);
      part.items.push({ item: show(letter), spot });
      // The rest of what was read is read again for the next page.
      if (isMeant && part.items.length === limit) return { ...part, next: spot };
    }
    part.scanned += isMeant ? Math.max(1, read.scanned, read.letters.length) : read.scanned;
    if (!read.next) return part;
    after = read.next;
    if (part.items.length >= limit) break;
  }
  return { ...part, ...(after && { next: after }) };
}

const textFinder = ({ config }: Pick<Meant, 'config'>, destination: string, text: string) => {
  const masking = maskingOf(config, destination);
  return (letter: Letter): boolean => holdsShownText(letter, text, masking);
};

/** @returns every letter of a destination that is meant, up to a bound; `onEnd` is told whether that cut it short */
export async function* lettersMeant(
  meant: Meant,
  destination: string,
  { scanLimit = Infinity, first = 'oldest' }: { scanLimit?: number; first?: 'oldest' | 'newest' } = {},
): AsyncGenerator<Letter, { atLeast: boolean; scanned: number }> {
  let after: LetterCursor | undefined;
  let scanned = 0;
  for (;;) {
    meant.signal.throwIfAborted();
    const left = Math.min(SCAN_LIMIT, scanLimit - scanned);
    if (left <= 0) return { atLeast: true, scanned };
    const range = { first, limit: CHUNK, scanLimit: left, ...(after && { after }) };
    const part = await partOf(meant, destination, range, (letter) => letter);
    for (const { item } of part.items) yield item;
    scanned += Math.max(part.scanned, part.items.length);
    if (!part.next) return { atLeast: false, scanned };
    after = part.next;
  }
}

export interface Counted {
  count: number;
  atLeast: boolean;
  scanned?: number;
}

export async function countMeant(meant: Meant): Promise<Counted> {
  const { reader, query } = meant;
  const names = await destinationsMeant(meant, query.destination);
  const scanLimit = shareOf(names);
  const all: Counted = { count: 0, atLeast: false };
  for (const destination of names) {
    meant.signal.throwIfAborted();
    const one =
      query.q === undefined
        ? await countLetters(reader, destination, { state: query.state, filter: filterOf(query), scanLimit })
        : await fold(lettersMeant(meant, destination, { scanLimit }), () => {});
    all.count += one.count;
    all.atLeast ||= one.atLeast;
    if (one.scanned !== undefined) all.scanned = (all.scanned ?? 0) + one.scanned;
  }
  return all;
}

/** Goes through letters that no row folds. */
export async function fold(
  letters: AsyncGenerator<Letter, { atLeast: boolean; scanned: number }>,
  each: (letter: Letter) => void,
): Promise<Counted> {
  for (let count = 0; ; count++) {
    const step = await letters.next();
    if (step.done === true) return { count, ...step.value };
    each(step.value);
  }
}
