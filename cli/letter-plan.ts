// What an act on dead letters will do, settled before a person is asked: the ids, frozen, and what the rules say to
// each. Of the letters themselves only a handful is kept, however many there are.
import { type FiledLetter, isMeant } from '../queue/dead-letters.ts';
import type { LetterFilter } from '../queue/letter-filter.ts';
import type { Reader } from '../queue/reader.ts';
import { actInWords, type ItemError, type LetterAct } from './letter-acts.ts';
import { type Letter, lettersOf, select } from './letter-selection.ts';

/** One letter, and why it is not tried where it is not. */
export interface Planned {
  letter: string;
  destination?: string;
  not?: { status: 'refused' | 'handled' | 'not-found'; error: ItemError };
  advice?: string;
  doubleAccepted?: boolean;
}

export interface Plan {
  items: Planned[];
  /** How many are tried. */
  todo: number;
  /** How many of those may be applied twice. */
  doubles: number;
  sample: FiledLetter[];
  /** Why letters are not tried: how many, and the words for the first. */
  not: Map<string, { count: number; first: string }>;
  /** What the operator should know: for how many. */
  advice: Map<string, number>;
  /** There are more than were asked for at most. */
  more: boolean;
  /** Epoch ms. All that is meant died before: what is replayed and dies again is not, by it. */
  before: number;
  /** Epoch ms, where a flag says so. */
  since?: number;
}

/** A letter at the destination that a line of an export says. */
export interface NamedLetter {
  id: string;
  destination: string;
}

export interface Asked {
  /** As they were typed, or as an export names them. */
  ids: readonly (string | NamedLetter)[];
  destination: string | undefined;
  filter: LetterFilter;
  limit: number;
}

const SAMPLE = 5;

/** @param now epoch ms, for the rules */
export async function planFor(reader: Reader, act: LetterAct, asked: Asked, now: number): Promise<Plan> {
  const plan = await settle(reader, act, asked, now);
  const { before = Infinity, since } = asked.filter;
  return { ...plan, before: Math.min(before, await reader.now()), ...(since !== undefined && { since }) };
}

type Unsettled = Omit<Plan, 'before' | 'since'>;

async function settle(reader: Reader, act: LetterAct, asked: Asked, now: number): Promise<Unsettled> {
  const plan: Unsettled = {
    items: [],
    todo: 0,
    doubles: 0,
    sample: [],
    not: new Map(),
    advice: new Map(),
    more: false,
  };
  const seen = new Set<string>();
  /** Two ids may name one letter. */
  const put = (letter: Letter): void => {
    const place = `${letter.destination} ${letter.id}`;
    if (!seen.has(place)) putLetter(plan, act, letter, now);
    seen.add(place);
  };
  if (asked.ids.length > 0) {
    for (const id of new Set(asked.ids)) {
      plan.more = plan.items.length === asked.limit;
      if (plan.more) break;
      await putNamed(plan, reader, typeof id === 'string' ? { id } : id, asked, put);
    }
    return plan;
  }
  const { letters } = await select(reader, { ...asked, ids: [], state: act.from, first: 'oldest' });
  for await (const letter of letters) {
    plan.more = plan.items.length === asked.limit;
    if (plan.more) break;
    put(letter);
  }
  return plan;
}

async function putNamed(
  plan: Unsettled,
  reader: Reader,
  { id, destination: at }: { id: string; destination?: string },
  asked: Asked,
  put: (letter: Letter) => void,
): Promise<void> {
  const { letters, instead } = await lettersOf(reader, id, at ?? asked.destination);
  const [only, ...others] = letters;
  const not = (status: 'refused' | 'not-found', code: string, message: string): void =>
    putNot(plan, { letter: id, not: { status, error: { code, message } } });
  if (others.length > 0) {
    const places = letters.map(({ id: letter, destination }) => `${letter} at ${destination}`).join(', ');
    const apart = others.some(({ destination }) => destination !== only?.destination);
    const how = apart ? 'say which with --destination' : 'give the dead letter id of the one that is meant';
    return not('refused', 'AMBIGUOUS', `${id} names ${places}: ${how}`);
  }
  if (!only) {
    const why = instead ?? 'nothing stands for it';
    return not('not-found', 'NOT_FOUND', `no dead letter for ${JSON.stringify(id.slice(0, MAX_ID))}: ${why}`);
  }
  if (!isMeant(only, asked.filter) || (asked.destination ?? only.destination) !== only.destination)
    return not('refused', 'NO_MATCH', `dead letter ${only.id} does not match the filter`);
  put(only);
}

const MAX_ID = 80;

function putLetter(plan: Unsettled, act: LetterAct, letter: Letter, now: number): void {
  const { id, destination } = letter;
  const item = { letter: id, destination };
  if (letter.state !== act.from) {
    const last = letter.acts.at(-1);
    const message = `dead letter ${id} ${last ? `was ${actInWords(last)}` : `is ${letter.state}`}`;
    return putNot(plan, { ...item, not: { status: 'handled', error: { code: 'LETTER_HANDLED', message } } });
  }
  const ruled = act.rule(letter, now);
  if ('refused' in ruled) return putNot(plan, { ...item, not: { status: 'refused', error: ruled.refused } });
  plan.items.push({ ...item, ...ruled });
  plan.todo += 1;
  if (ruled.doubleAccepted) plan.doubles += 1;
  if (plan.sample.length < SAMPLE && !('unreadable' in letter)) plan.sample.push(letter);
  if (ruled.advice !== undefined) plan.advice.set(ruled.advice, (plan.advice.get(ruled.advice) ?? 0) + 1);
}

function putNot(plan: Unsettled, item: Planned & Required<Pick<Planned, 'not'>>): void {
  plan.items.push(item);
  const { code, field: why = code } = item.not.error;
  const before = plan.not.get(why);
  plan.not.set(why, { count: (before?.count ?? 0) + 1, first: before?.first ?? item.not.error.message });
}
