// The life of a write, told once:
//  1. a worker takes it; admit() looks at the journal and the clock and lets it be sent, or not (admit.ts)
//  2. attempt() sends it once and returns an Outcome
//  3. decide() makes the Outcome a Disposition: delivered, retry (spends an attempt), postpone (spends none), or dead
//  4. settle() carries the Disposition out in one step in Redis, and the worker has its next write
// Both rules are pure: the clock and the chance are arguments.
import { backOff, type RetryPolicy, type Wait } from './back-off.ts';
import type { Journal } from './journal.ts';
import { classOf, type Outcome } from './outcome.ts';

export interface Policy extends RetryPolicy {
  /** Longest time one attempt may take. */
  timeoutMs: number;
  /** How long the API keeps a key, from its first send. */
  keyTtlMs: number;
  /** A 409 with one of these codes asks for patience: an earlier send of the key is still running. */
  inProgressCodes: readonly string[];
  /** 5xx that this API gives only when it did not apply the write. */
  unappliedStatuses: readonly number[];
  /** Starts without a record (their worker died) that a write survives. */
  maxCrashes: number;
}

export const DEAD_REASONS = ['rejected', 'exhausted', 'crashed', 'too-late', 'key-expired', 'invalid'] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

export type Disposition =
  | { kind: 'delivered' }
  | { kind: 'retry'; wait: Wait; because: string }
  | { kind: 'postpone'; wait: Wait; because: string }
  | { kind: 'dead'; reason: DeadReason; because: string };

/** Our own trouble is looked at again after this long. */
const LOCAL_TROUBLE_MS = 1000;

/** However often workers are stopped, that is no fault of the write's. */
const stopped: Disposition = {
  kind: 'postpone',
  wait: { delayMs: 0, baseMs: 0, jitterMs: 0 },
  because: 'the worker was stopped',
};

const noWait = (delayMs: number): Wait => ({ delayMs, baseMs: delayMs, jitterMs: 0 });

/**
 * What is done about an outcome (docs/contract.md, "What is retried").
 * @param journal what was recorded before this attempt
 * @param maxAttempts of this write, the first included; a probe has one
 * @param now epoch ms
 * @param random from [0, 1), drawn once
 */
export function decide(
  outcome: Outcome,
  journal: Journal,
  maxAttempts: number,
  policy: Policy,
  now: number,
  random: number,
): Disposition {
  const spend = (because: string, retryAfterMs?: number): Disposition => {
    const attempt = journal.attempts.length + 1;
    if (journal.probe) return { kind: 'dead', reason: 'exhausted', because: `${because}; a probe has one attempt` };
    return attempt >= maxAttempts
      ? {
          kind: 'dead',
          reason: 'exhausted',
          because: `${because}; attempt ${attempt} of ${maxAttempts} was the last`,
        }
      : { kind: 'retry', wait: backOff(attempt, policy, random, retryAfterMs), because };
  };
  // Nothing is postponed for ever: as long as a key lives is long enough.
  const postpone = (because: string, wait: Wait): Disposition =>
    now + wait.delayMs - (journal.postponedSince ?? now) > policy.keyTtlMs
      ? { kind: 'dead', reason: 'exhausted', because: `${because}; postponed for the whole life of a key` }
      : { kind: 'postpone', wait, because };

  switch (outcome.kind) {
    case 'blocked':
      return { kind: 'dead', reason: 'invalid', because: outcome.message };
    case 'not-sent':
      switch (classOf(outcome.code)) {
        case 'local':
          return postpone(`${outcome.code} on our machine`, noWait(LOCAL_TROUBLE_MS));
        case 'shutdown':
          return stopped;
        case 'unsendable':
          return { kind: 'dead', reason: 'invalid', because: `the request cannot be sent (${outcome.code})` };
        case 'tls':
          return spend(`TLS failed (${outcome.code})`);
        case 'not-sent':
        case 'no-answer':
          return spend(`nothing was sent (${outcome.code})`);
      }
    case 'no-answer':
      return classOf(outcome.code) === 'shutdown' ? stopped : spend(`no answer (${outcome.code})`);
    case 'response': {
      const { status, envelope, retryAfterMs, replayed, cut } = outcome;
      if (status >= 200 && status < 300) return { kind: 'delivered' };
      if (status === 409 && envelope && policy.inProgressCodes.includes(envelope.code)) {
        return postpone(
          'the API is still processing this key',
          backOff(journal.postponed + 1, policy, random, retryAfterMs),
        );
      }
      // Its code would say whether an earlier send is still running.
      if (status === 409 && cut) return spend('HTTP 409, whose answer broke off', retryAfterMs);
      if (status === 429) return spend('HTTP 429', retryAfterMs);
      if (status >= 500 && status <= 599) {
        return replayed
          ? {
              kind: 'dead',
              reason: 'rejected',
              because: `HTTP ${status} is the stored answer of this key and will not change; a new key is needed`,
            }
          : spend(`HTTP ${status}`, retryAfterMs);
      }
      // The API keeps the rejection under the key, and will give it again to whoever sends the same key.
      const because = replayed
        ? `HTTP ${status} is the stored answer of this key and will not change; a new key is needed`
        : `HTTP ${status} is not retried`;
      return { kind: 'dead', reason: 'rejected', because };
    }
  }
}
