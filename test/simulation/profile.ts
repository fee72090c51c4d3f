// What one history is played with: a destination's settings, an API, clocks that are wrong, and how much goes wrong.
import { KEY_MARGIN_MS } from '../../core/admit.ts';
import type { Policy } from '../../core/decide.ts';
import type { Chance } from '../chaos/chance.ts';

export interface ApiProfile {
  /** Keeps its own 5xx under the key, as some APIs do. */
  stores5xx: boolean;
  /** A run that stored no answer leaves the key behind, whose life goes on from its first look. */
  remembersUnstored: boolean;
  /** Marks a stored answer as one. */
  marksReplays: boolean;
  /** A second send waits for the first one's answer; else it is told that one is running. */
  waits: boolean;
  /** The share of writes that it rejects. */
  rejects: number;
  /** Longest that a run takes. */
  runMs: number;
}

export interface Profile {
  policy: Policy;
  /** Of this write: attempts, and until when it may be sent, epoch ms. */
  maxAttempts: number;
  expiresAt?: number;
  lockMs: number;
  stalledIntervalMs: number;
  /** What each worker's clock is off by. */
  clocks: number[];
  /** How far any clock may be off. */
  clockErrorMs: number;
  /**
   * After an attempt's time limit its request may still be on its way for so long: what the margin of a key's life
   * leaves when two clocks have taken their part of it (docs/decisions/0006).
   */
  lateMs: number;
  api: ApiProfile;
  /** At each step of a worker: the chance that it dies, stands still, or cannot renew its lock. */
  crash: number;
  freeze: number;
  unrenewed: number;
  /** At each send: the chance that the network or the API has a fault. */
  trouble: number;
  /** After so many faults nothing goes wrong any more. */
  faults: number;
  /** So often a person acts on a dead letter. */
  acts: number;
  /** A letter is acted on right away, within a key's life, or long after. */
  patience: 'none' | 'some' | 'long';
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const IN_PROGRESS = ['IDEMPOTENCY_IN_PROGRESS'];
const TTLS = [20 * SECOND, 60 * SECOND, 600 * SECOND, HOUR, 24 * HOUR];
const TIMEOUTS = [50, SECOND, 5 * SECOND, 15 * SECOND];
const RETRIES = [
  { baseMs: SECOND, capMs: 30 * SECOND, jitter: 0.2 },
  { baseMs: SECOND, capMs: 30 * SECOND, jitter: 0.2 },
  { baseMs: 200, capMs: 3 * SECOND, jitter: 0 },
  { baseMs: 5 * SECOND, capMs: HOUR, jitter: 1 },
];
const UNAPPLIED = [[503], [503], [], [503, 500]];
/** The worst clock that a worker starts with (queue/server-rules.ts). */
const WORST_CLOCK_MS = 1000;

export function drawProfile(chance: Chance, startAt: number): Profile {
  const some = (share: number): boolean => chance.next() < share;
  const keyTtlMs = chance.pick(TTLS);
  const timeoutMs = Math.min(chance.pick(TIMEOUTS), keyTtlMs / 4);
  const marginMs = Math.min(KEY_MARGIN_MS, keyTtlMs / 10);
  const clockErrorMs = Math.min(WORST_CLOCK_MS, marginMs / 5);
  const faulty = some(0.15) ? 0.8 : some(0.5) ? 0.25 : 0.06;
  return {
    policy: {
      ...chance.pick(RETRIES),
      maxAttempts: chance.between(1, 8),
      retryAfterCapMs: some(0.5) ? HOUR : 10 * SECOND,
      timeoutMs,
      keyTtlMs,
      inProgressCodes: IN_PROGRESS,
      unappliedStatuses: chance.pick(UNAPPLIED),
      maxCrashes: chance.between(0, 5),
    },
    maxAttempts: chance.between(1, 8),
    ...(some(0.2) && { expiresAt: startAt + Math.floor(chance.next() ** 3 * keyTtlMs * 2) }),
    lockMs: chance.pick([SECOND, 5 * SECOND, 30 * SECOND]),
    stalledIntervalMs: chance.pick([SECOND, 30 * SECOND]),
    clocks: [0, 0, 0].map(() => chance.between(-clockErrorMs, clockErrorMs)),
    clockErrorMs,
    lateMs: marginMs - 2 * clockErrorMs - 1,
    api: {
      stores5xx: some(0.3),
      remembersUnstored: some(0.5),
      marksReplays: some(0.8),
      waits: some(0.2),
      rejects: chance.pick([0, 0.05, 0.5]),
      runMs: some(0.8) ? 100 : timeoutMs * 3,
    },
    crash: some(0.5) ? faulty / 2 : 0,
    freeze: some(0.5) ? faulty / 3 : 0,
    unrenewed: some(0.3) ? 0.1 : 0,
    trouble: some(0.2) ? 1 : faulty,
    faults: chance.between(0, 16),
    acts: some(0.6) ? chance.between(1, 5) : 0,
    patience: chance.pick(['none', 'some', 'long']),
  };
}
