// Before a write is sent: may it still be? Crashes have a bound, and a key has an end (docs/decisions/0006).
import type { Disposition, Policy } from './decide.ts';
import { firstSentAt, type Journal } from './journal.ts';

/** Clocks, ours and the API's, are trusted to this much. */
export const KEY_MARGIN_MS = 5000;

/**
 * Lets a write be sent, or says why it may not be.
 * @param journal what was recorded so far
 * @param lost starts without a record since the last entry
 * @param write when it was taken, when the first of those starts began, and until when it may be sent, epoch ms
 * @param now epoch ms
 * @returns undefined: send it
 */
export function admit(
  journal: Journal,
  lost: number,
  write: { takenAt?: number; lostAt?: number; expiresAt?: number },
  policy: Pick<Policy, 'maxCrashes' | 'keyTtlMs' | 'timeoutMs'>,
  now: number,
): (Disposition & { kind: 'dead' }) | undefined {
  const crashes = journal.lost + lost;
  if (crashes > policy.maxCrashes) {
    return {
      kind: 'dead',
      reason: 'crashed',
      because: `${crashes} starts ended without a record; ${policy.maxCrashes} are allowed`,
    };
  }
  const { expiresAt = Infinity } = write;
  if (now >= expiresAt) {
    return { kind: 'dead', reason: 'too-late', because: `its expiry ${new Date(expiresAt).toISOString()} has passed` };
  }
  // A worker that stood still since it took the write may have lost it, and another have sent the key since then.
  const sentAt = Math.min(firstSentAt(journal, lost, write.lostAt) ?? Infinity, write.takenAt ?? Infinity);
  if (!keyOutlives(sentAt, policy, now + policy.timeoutMs)) {
    return { kind: 'dead', reason: 'key-expired', because: 'the API may have forgotten its idempotency key' };
  }
  return undefined;
}

/** Whether the API still knows a key, first sent at `sentAt`, at the time `at`; always when it was never sent. */
export function keyOutlives(sentAt: number | undefined, policy: Pick<Policy, 'keyTtlMs'>, at: number): boolean {
  return sentAt === undefined || at + marginOf(policy) < sentAt + policy.keyTtlMs;
}

/** Until when an attempt may start with a key that was first sent at `sentAt`; epoch ms. */
export function keyUsableUntil(sentAt: number, policy: Pick<Policy, 'keyTtlMs' | 'timeoutMs'>): number {
  return sentAt + policy.keyTtlMs - marginOf(policy) - policy.timeoutMs;
}

const marginOf = ({ keyTtlMs }: Pick<Policy, 'keyTtlMs'>): number => Math.min(KEY_MARGIN_MS, keyTtlMs / 10);
