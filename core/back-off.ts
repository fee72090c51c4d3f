// How long a failed write waits (docs/contract.md), to the millisecond: base = min(baseMs · 2^(n−1), capMs), and on top
// of it random · base · jitter.

export interface RetryPolicy {
  /** The first attempt included. */
  maxAttempts: number;
  baseMs: number;
  capMs: number;
  /** The share of base that chance may add, 0 to 1. */
  jitter: number;
  /** The longest wait that a Retry-After may ask for. */
  retryAfterCapMs: number;
}

/** How a wait came to be; `delayMs` is what BullMQ is told. */
export interface Wait {
  delayMs: number;
  baseMs: number;
  jitterMs: number;
  /** What the API asked for, capped; of this and what was drawn the longer counts (docs/contract.md). */
  retryAfterMs?: number;
}

/**
 * The wait that follows attempt n.
 * @param n from 1
 * @param random from [0, 1); drawn once
 */
export function backOff(n: number, policy: RetryPolicy, random: number, retryAfterMs?: number): Wait {
  const baseMs = Math.min(policy.baseMs * 2 ** (n - 1), policy.capMs);
  const jitterMs = Math.floor(random * baseMs * policy.jitter);
  const asked = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, policy.retryAfterCapMs);
  return {
    delayMs: Math.max(baseMs + jitterMs, asked ?? 0),
    baseMs,
    jitterMs,
    ...(asked !== undefined && { retryAfterMs: asked }),
  };
}

/** Why a wait was that long, as "2.2 s = base 2000 + jitter 200; Retry-After 1 s was shorter". */
export function explainWait(wait: Wait): string {
  const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(2))} s`;
  const drawn = `base ${wait.baseMs} + jitter ${wait.jitterMs}`;
  if (wait.retryAfterMs === undefined) return `${seconds(wait.delayMs)} = ${drawn}`;
  const longer = wait.retryAfterMs - (wait.baseMs + wait.jitterMs);
  if (longer > 0) return `${seconds(wait.delayMs)} = Retry-After; ${drawn} was shorter`;
  const than = longer < 0 ? 'was shorter' : 'was as long';
  return `${seconds(wait.delayMs)} = ${drawn}; Retry-After ${seconds(wait.retryAfterMs)} ${than}`;
}
