// All that the judge is shown, and what it goes by.
import type { ConfigInput } from '../../core/config.ts';
import type { AnonymousSends, LedgerEntry } from '../../dev/testing.ts';
import type { Ends } from './ends.ts';
import type { Ledger } from './ledger.ts';

/** A worker that died, or was frozen past its lock. */
export interface Loss {
  /** By which the oracle knows it. */
  readonly slot: number;
  /** Epoch ms. */
  readonly at: number;
  /** It sends nothing more, but the one that comes in its place does. */
  readonly isDead?: boolean;
}

/** A time, in epoch ms, of which a fault may take what Redis was given. */
export interface LossWindow {
  readonly from: number;
  readonly until: number;
  /** What producers were told is stored stays all the same; what workers wrote may be gone. */
  readonly keepsWrites?: boolean;
}

/** What the workers were told, with the contract's own values where they were told nothing. */
export interface JudgedPolicy {
  baseMs: number;
  capMs: number;
  jitter: number;
  retryAfterCapMs: number;
  maxAttempts: number;
  maxCrashes: number;
  timeoutMs: number;
  keyTtlMs: number;
  /** How far apart the clocks are that journals are written by, ms. */
  clocksDifferMs: number;
  /** Something between the workers and the API breaks answers off, holds them back or swallows them. */
  answersBreak: boolean;
  /** A start may be lost though its worker lives: the reply that gave it the write was. */
  repliesBreak: boolean;
}

export interface Evidence {
  ledger: Ledger;
  /** What the API saw of a key. */
  oracle: (key: string) => LedgerEntry | undefined;
  /** What it was sent without one. */
  anonymous: Pick<AnonymousSends, 'sends'>;
  /** Every key that the API saw. */
  seenKeys: readonly string[];
  ends: Ends;
  policy: JudgedPolicy;
  /** Writes that are meant to be dead as crashed. */
  poison: ReadonlySet<string>;
  losses: readonly Loss[];
  lossWindows: readonly LossWindow[];
  /** Every write had ended within the time that there was. */
  drained: boolean;
  /** When the campaign began, epoch ms. */
  startedAt: number;
}

type DestinationInput = NonNullable<ConfigInput['destinations']>[string];

const DAY_MS = 86_400_000;

export function policyOf(
  { worker }: ConfigInput,
  destination: Partial<DestinationInput>,
  {
    clocksDifferMs = 0,
    answersBreak = false,
    repliesBreak = false,
  }: Partial<Pick<JudgedPolicy, 'clocksDifferMs' | 'answersBreak' | 'repliesBreak'>> = {},
): JudgedPolicy {
  const { retry, timeoutMs = 15_000, idempotency } = destination;
  return {
    baseMs: retry?.baseMs ?? 1000,
    capMs: retry?.capMs ?? 30_000,
    jitter: retry?.jitter ?? 0.2,
    retryAfterCapMs: retry?.retryAfterCapMs ?? 3_600_000,
    maxAttempts: retry?.maxAttempts ?? 5,
    maxCrashes: worker?.maxCrashes ?? 5,
    timeoutMs,
    keyTtlMs: idempotency?.ttlMs ?? DAY_MS,
    clocksDifferMs,
    answersBreak,
    repliesBreak,
  };
}
