// Which letters an operation means: by id, or by a filter that is frozen when it is planned, so that what dies later, a
// replayed write that dies again above all, is none of them.
import { MAX_LOOKED_INTO } from '../../core/bulk.ts';
import { WaybillError } from '../../core/errors.ts';
import type { LetterState } from '../acts.ts';
import {
  countLetters,
  type FiledLetter,
  type LetterCursor,
  type LetterPage,
  lookAtLetter,
  pageOfLetters,
  type UnreadableLetter,
} from '../dead-letters.ts';
import type { LetterFilter } from '../letter-filter.ts';
import type { Reader } from '../reader.ts';
import type { FilterAsked, OperationVerb, PlanRequest } from './operation.ts';

/** Letters of a page: their bodies are in memory together. */
const PAGE = 200;
/** Letters that one page looks into, where no row tells. */
const PAGE_SCAN = 1000;

/** Where a letter must be. */
export const stateFor = (act: OperationVerb): LetterState => (act === 'restore' ? 'discarded' : 'open');

/** @param frozenAt epoch ms: what died at this time or after is not meant */
export function frozen(filter: FilterAsked, frozenAt: number): LetterFilter {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as LetterFilter;
  return { ...given, before: Math.min(given.before ?? Infinity, frozenAt) };
}

/** The letters that are named, each once. */
export const namedIn = (target: PlanRequest['target']): string[] | undefined =>
  'ids' in target ? [...new Set(target.ids)] : undefined;

/** How many are meant; `atLeast` where more would have to be looked into than may be. */
export async function countMeant(
  reader: Reader,
  { act, destination, target }: PlanRequest,
  frozenAt: number,
  signal?: AbortSignal,
): Promise<{ count: number; atLeast: boolean }> {
  if ('ids' in target) return { count: namedIn(target)?.length ?? 0, atLeast: false };
  const { count, atLeast } = await countLetters(reader, destination, {
    state: stateFor(act),
    filter: frozen(target.filter, frozenAt),
    scanLimit: MAX_LOOKED_INTO,
    signal,
  });
  return { count, atLeast };
}

/** A page of those that a filter means, the oldest first; a page that is not the last one may be short, or empty. */
export function pageOfMeant(
  reader: Reader,
  { act, destination, filter }: { act: OperationVerb; destination: string; filter: LetterFilter },
  after: LetterCursor | undefined,
): Promise<LetterPage> {
  return pageOfLetters(reader, destination, {
    state: stateFor(act),
    first: 'oldest',
    filter,
    limit: PAGE,
    scanLimit: PAGE_SCAN,
    ...(after && { after }),
  });
}

/**
 * Each letter that is meant, the oldest first, as far as letters may be looked into for it; of named ones, those that are
 * missing as their id.
 */
export async function* lettersMeant(
  reader: Reader,
  { act, destination, target }: PlanRequest,
  frozenAt: number,
  signal?: AbortSignal,
): AsyncGenerator<FiledLetter | UnreadableLetter | string> {
  if ('ids' in target) {
    for (const id of namedIn(target) ?? []) {
      signal?.throwIfAborted();
      yield (await lookAtLetter(reader, destination, id)) ?? id;
    }
    return;
  }
  const filter = frozen(target.filter, frozenAt);
  let scanned = 0;
  for (let after: LetterCursor | undefined; scanned < MAX_LOOKED_INTO;) {
    signal?.throwIfAborted();
    const page = await pageOfMeant(reader, { act, destination, filter }, after);
    yield* page.letters;
    if (!page.next) return;
    after = page.next;
    scanned += page.scanned;
  }
}

/** @throws WaybillError INVALID_WRITE where what belongs to a replay is asked of another act */
export function checkOptions({ act, newKey, acceptDouble, ignoreExpiry }: PlanRequest): void {
  if (act === 'replay') return;
  for (const [field, value] of Object.entries({ newKey, acceptDouble, ignoreExpiry }))
    if (value === true)
      throw new WaybillError('INVALID_WRITE', `${field}: belongs to a replay, not a ${act}`, { field });
}
