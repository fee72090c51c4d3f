// Waiting for a state, outside of a test runner.
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 20;

/**
 * Waits until a check holds.
 * @param what for the error
 * @throws Error when it does not hold within limitMs
 */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  limitMs = 15_000,
  lookMs = LOOK_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await check()) return;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(lookMs);
  }
}
