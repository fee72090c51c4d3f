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
}

export interface Asked {
  ids: readonly string[];
  destination: string | undefined;
  filter: LetterFilter;
  limit: number;
}

const SAMPLE = 5;

/** @param now epoch ms, for the rules */
export async function planFor(reader: Reader, act: LetterAct, asked: Asked, now: number): Promise<Plan> {
  const plan: Plan = { items: [], todo: 0, doubles: 0, sample: [], not: new Map(), advice: new Map(), more: false };
  const put = (letter: Letter): void => putLetter(plan, act, letter, now);
  if (asked.ids.length > 0) {
    for (const id of new Set(asked.ids)) {
      plan.more = plan.items.length === asked.limit;
      if (plan.more) break;
      await putNamed(plan, reader, id, asked, put);
    }
    return plan;
  }
  const { letters } = await select(reader, { ...asked, state: act.from, first: 'oldest' });
  for await (const letter of letters) {
    plan.more = plan.items.length === asked.limit;
    if (plan.more) break;
    put(letter);
  }
  return plan;
}

async function putNamed(plan: Plan, reader: Reader, id: string, asked: Asked, put: (letter: Letter) => void) {
  const { letters, withoutLetter } = await lettersOf(reader, id, asked.destination);
  const [only, ...others] = letters;
  const not = (status: 'refused' | 'not-found', code: string, message: string): void =>
    putNot(plan, { letter: id, not: { status, error: { code, message } } }, code);
  if (others.length > 0) {
    const places = letters.map(({ id: letter, destination }) => `${letter} at ${destination}`).join(', ');
    return not('refused', 'AMBIGUOUS', `${id} names ${places}: say which, or --destination`);
  }
  if (!only) {
    const state =
      withoutLetter === undefined ? 'nothing stands for it' : `its write is ${withoutLetter}, and has no dead letter`;
    return not('not-found', 'NOT_FOUND', `no dead letter for ${JSON.stringify(id.slice(0, MAX_ID))}: ${state}`);
  }
  if (!isMeant(only, asked.filter))
    return not('refused', 'NO_MATCH', `dead letter ${only.id} does not match the filter`);
  if (!plan.items.some(({ letter, destination }) => letter === only.id && destination === only.destination)) put(only);
}

const MAX_ID = 80;

function putLetter(plan: Plan, act: LetterAct, letter: Letter, now: number): void {
  const { id, destination } = letter;
  const item = { letter: id, destination };
  if (letter.state !== act.from) {
    const last = letter.acts.at(-1);
    const message = `dead letter ${id} ${last ? `was ${actInWords(last)}` : `is ${letter.state}`}`;
    return putNot(
      plan,
      { ...item, not: { status: 'handled', error: { code: 'LETTER_HANDLED', message } } },
      'LETTER_HANDLED',
    );
  }
  const ruled = act.rule(letter, now);
  if ('refused' in ruled) {
    const { why, ...error } = ruled.refused;
    return putNot(plan, { ...item, not: { status: 'refused', error } }, why);
  }
  plan.items.push({ ...item, ...ruled });
  plan.todo += 1;
  if (ruled.doubleAccepted) plan.doubles += 1;
  if (plan.sample.length < SAMPLE && !('unreadable' in letter)) plan.sample.push(letter);
  if (ruled.advice !== undefined) plan.advice.set(ruled.advice, (plan.advice.get(ruled.advice) ?? 0) + 1);
}

function putNot(plan: Plan, item: Planned & Required<Pick<Planned, 'not'>>, why: string): void {
  plan.items.push(item);
  const before = plan.not.get(why);
  plan.not.set(why, { count: (before?.count ?? 0) + 1, first: before?.first ?? item.not.error.message });
}
