import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backOff, explainWait, type RetryPolicy } from '../../core/back-off.ts';

const CONTRACT: RetryPolicy = { maxAttempts: 5, baseMs: 1000, capMs: 30_000, jitter: 0.2, retryAfterCapMs: 3_600_000 };
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the back-off of the contract', () => {
  test.each([
    [1, 1000, 1200],
    [2, 2000, 2400],
    [3, 4000, 4800],
    [4, 8000, 9600],
    [5, 16_000, 19_200],
    [6, 30_000, 36_000],
    [50, 30_000, 36_000],
  ])('after attempt %i the wait is in [%i, %i] ms', (n, low, high) => {
    expect(backOff(n, CONTRACT, 0).delayMs).toBe(low);
    expect(backOff(n, CONTRACT, 1 - Number.EPSILON).delayMs).toBeLessThanOrEqual(high);
    fc.assert(
      fc.property(random, (r) => {
        const { delayMs } = backOff(n, CONTRACT, r);
        return delayMs >= low && delayMs <= high;
      }),
    );
  });

  test('a wait is a finite whole number above 0, whatever the policy: BullMQ parks or drops anything else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        random,
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.integer({ min: 1, max: 86_400_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(100_000_000), { nil: undefined }),
        (n, r, baseMs, capMs, jitter, retryAfterMs) => {
          const { delayMs } = backOff(n, { ...CONTRACT, baseMs, capMs, jitter }, r, retryAfterMs);
          return Number.isSafeInteger(delayMs) && delayMs >= 1;
        },
      ),
    );
  });

  test('Retry-After stretches a wait as far as its cap, and never cuts one short', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), random, fc.nat(10_000_000), (n, r, retryAfterMs) => {
        const without = backOff(n, CONTRACT, r).delayMs;
        const { delayMs } = backOff(n, CONTRACT, r, retryAfterMs);
        return delayMs === Math.max(without, Math.min(retryAfterMs, CONTRACT.retryAfterCapMs));
      }),
    );
  });
});

test('a wait says of a Retry-After only where the API gave one', () => {
  expect(backOff(1, CONTRACT, 0.5)).toStrictEqual({ delayMs: 1100, baseMs: 1000, jitterMs: 100 });
  expect(backOff(1, CONTRACT, 0.5, 9_000_000)).toStrictEqual({
    delayMs: 3_600_000,
    baseMs: 1000,
    jitterMs: 100,
    retryAfterMs: 3_600_000,
  });
});

test('a wait explains itself', () => {
  expect(explainWait(backOff(3, CONTRACT, 0.7625, 3000))).toBe(
    '4.61 s = base 4000 + jitter 610; Retry-After 3 s was shorter',
  );
  expect(explainWait(backOff(1, CONTRACT, 0.5))).toBe('1.1 s = base 1000 + jitter 100');
  expect(explainWait(backOff(1, CONTRACT, 0.5, 5000))).toBe('5 s = Retry-After; base 1000 + jitter 100 was shorter');
  expect(explainWait(backOff(1, CONTRACT, 0.5, 1050))).toBe(
    '1.1 s = base 1000 + jitter 100; Retry-After 1.05 s was shorter',
  );
  expect(explainWait(backOff(1, CONTRACT, 0.5, 1100))).toBe(
    '1.1 s = base 1000 + jitter 100; Retry-After 1.1 s was as long',
  );
});
