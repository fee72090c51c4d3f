// The steps of an operation, and when it stops itself. Pure.
import { printable } from '../../core/envelope.ts';
import type { Standing } from './read.ts';

const SECOND_STEP = 0.1;
/** Of fewer that have ended nothing is judged but at the end of a step. */
const JUDGED_FROM = 5;
const MAX_CODE = 80;

/** The item that each canary step ends before: 1, then 10 %, then the rest. */
export function stepsOf(total: number): number[] {
  return [...new Set([1, Math.ceil(total * SECOND_STEP), total])].filter((end) => end > 0 && end <= total);
}

/** The step behind `n`, from an item on: one whose items are all acted on already is passed over. */
export function stepAfter(n: number, next: number, total: number): { n: number; until: number } {
  const ends = stepsOf(total);
  for (let i = n; i < ends.length; i++) {
    const until = ends[i] ?? total;
    if (until > next) return { n: i + 1, until };
  }
  return { n: ends.length, until: total };
}

/** How many have ended since somebody last said that it may go on. */
export const endedSince = ({ since }: Standing): number => since.delivered + since.dead;

/** Whether more of the replayed writes are dead again than was said. @param isEndOfStep it is judged by whatever has ended */
export function isTooMany(standing: Standing, isEndOfStep: boolean): boolean {
  const { since, spec } = standing;
  const ended = endedSince(standing);
  if (ended === 0 || (!isEndOfStep && ended < JUDGED_FROM)) return false;
  return since.dead / ended > spec.stopShare;
}

/** `3 of 5 replayed writes are dead again, most with VALIDATION_ERROR`. @param codes how many died of each */
export function tooManyInWords(standing: Standing, codes: Record<string, string>): string {
  const { dead } = standing.since;
  const ended = endedSince(standing);
  const [most] = Object.entries(codes).toSorted((a, b) => Number(b[1]) - Number(a[1]));
  const what = `${dead} of ${ended} replayed ${ended === 1 ? 'write is' : 'writes are'} dead again`;
  if (!most) return what;
  return `${what}, ${Number(most[1]) === dead ? '' : 'most '}with ${printable(most[0], MAX_CODE)}`;
}
