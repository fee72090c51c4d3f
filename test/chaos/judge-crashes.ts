// I11: a write is dead as crashed only if more of its workers died than are allowed, in its life and with it in hand. And a
// start counts as lost, which makes a doubt of it, only if a worker was lost.
import type { LedgerSend } from '../../dev/testing.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import type { End } from './ends.ts';
import type { JudgedPolicy, Loss } from './evidence.ts';
import { HELD_UP_MS, type Joined } from './joined.ts';
import type { Entry } from './ledger.ts';

/**
 * @param letter of a write that is dead as crashed
 * @param unrecorded its sends that stand in no journal
 * @returns what is wrong with that, or undefined
 */
export function wrongAsCrashed(
  { maxCrashes, timeoutMs, clocksDifferMs }: JudgedPolicy,
  letter: Pick<FiledLetter, 'journal' | 'lost' | 'enqueuedAt' | 'deadAt'>,
  unrecorded: Joined['unrecorded'],
  losses: readonly Loss[],
): string | undefined {
  const starts = letter.journal.lost + letter.lost;
  if (starts <= maxCrashes) return `dead as crashed after ${starts} starts without a record`;
  const inLife = losses.filter(
    ({ at }) => at >= letter.enqueuedAt - clocksDifferMs && at <= letter.deadAt + clocksDifferMs,
  );
  // Whoever held it without having sent it, the API does not know; but no two losses at once are of one write.
  const times = new Set(inLife.map(({ at }) => at)).size;
  if (times <= maxCrashes) return `dead as crashed, and ${times} workers were lost in its life`;
  // A postponed send stands in no journal either; its worker need not have died.
  const unexplained = unrecorded.filter(({ send, said }) => !said && !isLost(send, inLife, timeoutMs));
  return unexplained.length > letter.journal.postponed
    ? `dead as crashed, and of ${unexplained.length} sends without an end the worker lived on`
    : undefined;
}

/** A producer may have been told late that its write is stored. */
const TOLD_LATE_MS = 5000;

/** @returns what is wrong with the starts of a write that are said to have left no record, or undefined */
export function wrongAsLost(
  { repliesBreak, clocksDifferMs }: JudgedPolicy,
  { acknowledgedAt }: Pick<Entry, 'acknowledgedAt'>,
  { letters, journal, starts }: Pick<End, 'letters' | 'journal' | 'starts'>,
  losses: readonly Loss[],
): string | undefined {
  if (repliesBreak) return undefined;
  const inLetters = letters.reduce((sum, letter) => sum + (letter.journal?.lost ?? 0) + (letter.lost ?? 0), 0);
  // And the one that delivered it, which is in no journal.
  const recorded = (journal?.attempts.length ?? 0) + (journal?.postponed ?? 0) + 1;
  const lost = inLetters + (starts === undefined ? 0 : Math.max(0, starts - recorded));
  const from = Math.min(...acknowledgedAt, ...letters.map(({ enqueuedAt }) => enqueuedAt ?? Infinity)) - TOLD_LATE_MS;
  // No two losses at once are of one write.
  const times = new Set(losses.filter(({ at }) => !(at < from - clocksDifferMs)).map(({ at }) => at)).size;
  return lost > times ? `${lost} of its starts are lost, and ${times} workers were in its life` : undefined;
}

/**
 * Its worker died, or was frozen, while it had that send in hand: between it and the end of its attempt. Of one that is dead
 * a busy API may note a send late; one that was frozen may send when it goes on.
 */
const isLost = ({ at, client }: LedgerSend, losses: readonly Loss[], timeoutMs: number): boolean =>
  losses.some(
    (loss) =>
      loss.slot === client && loss.at >= at - (loss.isDead ? HELD_UP_MS : timeoutMs) && loss.at <= at + 2 * timeoutMs,
  );
