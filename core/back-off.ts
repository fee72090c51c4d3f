// The back-off of SPEC.md, to the millisecond: base = min(baseMs · 2^(n−1), capMs), jitter = random · base · jitter.

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
  /** What the API asked for, capped; it makes a wait longer, never shorter (DESIGN decision 10). */
  retryAfterMs?: number;
}

/**
 * The wait before attempt n+1, after attempt n failed.
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

/** "4.61 s = base 4000 + jitter 610; Retry-After 3 s was shorter": why a wait was that long. */
export function explainWait(wait: Wait): string {
  const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(2))} s`;
  const drawn = `base ${wait.baseMs} + jitter ${wait.jitterMs}`;
  if (wait.retryAfterMs === undefined) return `${seconds(wait.delayMs)} = ${drawn}`;
  return wait.retryAfterMs > wait.baseMs + wait.jitterMs
    ? `${seconds(wait.delayMs)} = Retry-After; ${drawn} was shorter`
    : `${seconds(wait.delayMs)} = ${drawn}; Retry-After ${seconds(wait.retryAfterMs)} was shorter`;
}
