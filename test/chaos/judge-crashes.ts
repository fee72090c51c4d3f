// I11: a write is dead as crashed only if more of its workers died than are allowed, in its life and with it in hand.
import type { LedgerSend } from '../../dev/testing.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import type { JudgedPolicy, Loss } from './evidence.ts';
import { HELD_UP_MS, type Joined } from './joined.ts';

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

/**
 * Its worker died, or was frozen, while it had that send in hand: between it and the end of its attempt. Of one that is dead
 * a busy API may note a send late; one that was frozen may send when it goes on.
 */
const isLost = ({ at, client }: LedgerSend, losses: readonly Loss[], timeoutMs: number): boolean =>
  losses.some(
    (loss) =>
      loss.slot === client && loss.at >= at - (loss.isDead ? HELD_UP_MS : timeoutMs) && loss.at <= at + 2 * timeoutMs,
  );
