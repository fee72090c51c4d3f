// The dead letters that flags and ids mean, over all destinations that are looked in.
import { jobIdOf } from '../core/write.ts';
import type { LetterState } from '../queue/acts.ts';
import {
  countLetters,
  type FiledLetter,
  isMeant,
  type LetterCursor,
  letters,
  lookAtLetter,
  pageOfLetters,
  type UnreadableLetter,
} from '../queue/dead-letters.ts';
import { find } from '../queue/find.ts';
import type { LetterFilter } from '../queue/letter-filter.ts';
import type { Reader } from '../queue/reader.ts';
import { inOrder } from './in-order.ts';

/** Letters that are held at a time. */
const PAGE = 50;

export type Letter = FiledLetter | UnreadableLetter;

export interface Sought {
  /** These alone, in their order and, where no state is given, in any; without one all that match. */
  ids: readonly string[];
  destination?: string | undefined;
  /** Open ones where it is left out. */
  state?: LetterState | undefined;
  first: 'oldest' | 'newest';
  filter: LetterFilter;
  /** Stops once so many letters had to be looked into, because no row tells whether they match. */
  lookAtMost?: number;
}

export interface Selected {
  letters: AsyncGenerator<Letter>;
  /** How many there are, matching or not; of ids none is counted. */
  total: number;
  /** How many had to be looked into so far. */
  looked: number;
  /** Ids that nothing was found for so far. */
  missing: string[];
  /** Ids of letters that do not match. */
  unmeant: string[];
}

export async function select(reader: Reader, sought: Sought): Promise<Selected> {
  const { ids, destination, state = 'open', first } = sought;
  const names = await reader.destinations(destination);
  const selected: Omit<Selected, 'letters'> = { total: 0, looked: 0, missing: [], unmeant: [] };
  if (ids.length > 0) return Object.assign(selected, { letters: named(reader, sought, selected) });
  for (const name of names) selected.total += (await countLetters(reader, name, { state })).count;
  const streams = names.map((name) => matching(reader, name, sought, selected));
  return Object.assign(selected, { letters: inOrder(streams, first, (letter) => timeOf(letter, state)) });
}

async function* matching(
  reader: Reader,
  destination: string,
  { state = 'open', first, filter, lookAtMost }: Sought,
  selected: { looked: number },
): AsyncGenerator<Letter> {
  if (lookAtMost === undefined) {
    yield* letters(reader, destination, { state, first, filter });
    return;
  }
  let after: LetterCursor | undefined;
  do {
    const scanLimit = lookAtMost - selected.looked;
    if (scanLimit <= 0) return;
    const asked = { state, first, filter, limit: PAGE, scanLimit, ...(after && { after }) };
    const page = await pageOfLetters(reader, destination, asked);
    selected.looked += page.scanned;
    yield* page.letters;
    after = page.next;
  } while (after);
}

async function* named(
  reader: Reader,
  { ids, destination, state, filter }: Sought,
  selected: Pick<Selected, 'missing' | 'unmeant'>,
): AsyncGenerator<Letter> {
  for (const id of new Set(ids)) {
    const all = (await lettersOf(reader, id, destination)).letters;
    const meant = all.filter((letter) => isMeant(letter, filter) && (state === undefined || letter.state === state));
    yield* meant;
    if (meant.length === 0) (all.length === 0 ? selected.missing : selected.unmeant).push(id);
  }
}

/** Open letters stand in the order of their deaths, the others in that of the last act. */
function timeOf({ deadAt, acts }: Letter, state: LetterState): number {
  return state === 'open' ? deadAt : (acts?.at(-1)?.at ?? deadAt);
}

/** What an id of the command line stands for. */
export interface Named {
  /** One for each destination where it names a write, or one of its earlier generations. */
  letters: Letter[];
  /** In words, what stands under the id where no letter does. */
  instead?: string;
}

/** `<job>.g<generation>`. */
const LETTER_ID = /\.g\d+$/;

/** @param id of a dead letter, of this one alone then, or of a job, an idempotency key, or the request_id of an attempt */
export async function lettersOf(reader: Reader, id: string, destination?: string): Promise<Named> {
  const exact: Letter[] = [];
  for (const name of await reader.destinations(destination)) {
    const letter = await lookAtLetter(reader, name, id);
    if (letter) exact.push(letter);
  }
  if (exact.length > 0) return { letters: exact };
  const found = await find(reader, id, destination);
  const isLetterId = LETTER_ID.test(id);
  const all = found.flatMap(({ jobId, lineage, letter }) => {
    const own = letter ? [...lineage, letter] : lineage;
    const meant = own.findLast(({ journal }) => journal.attempts.some(({ requestId }) => requestId === id));
    // The last generation is no answer to who asks for another one.
    const isOther = isLetterId && jobId !== id && jobId !== jobIdOf(id);
    return meant ?? (isOther ? [] : own.at(-1)) ?? [];
  });
  const [one] = found;
  if (all.length > 0 || !one) return { letters: all };
  const has = one.letter || one.lineage.length > 0 ? 'has dead letters of other generations' : 'has no dead letter';
  return { letters: all, instead: `its write is ${one.state}, and ${has}; see waybill find ${one.jobId}` };
}
