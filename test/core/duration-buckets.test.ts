import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, type DurationCounts, quantileMs } from '../../core/duration-buckets.ts';

function counted(durationsMs: readonly number[]): DurationCounts {
  const counts: DurationCounts = new Map();
  for (const ms of durationsMs) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
  return counts;
}

test('a percentile is at most 9.1 % off, from 1 ms to 10 minutes', () =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95, 0.99, 1),
      (durationsMs, share) => {
        const exact = durationsMs.toSorted((a, b) => a - b)[Math.ceil(share * durationsMs.length) - 1] ?? 0;
        const shown = quantileMs(counted(durationsMs), share) ?? 0;
        // Half a bucket, and three digits.
        expect(Math.abs(Math.log(shown / exact))).toBeLessThanOrEqual(Math.log(1.091) + 0.005);
      },
    ),
  ));

test('what takes less than a millisecond counts as 1 ms, and what is no duration with it', () => {
  expect(quantileMs(counted([0, 0.2, 1]), 0.99)).toBe(1);
  expect([bucketOf(Number.NaN), bucketOf(-5)]).toEqual([0, 0]);
});

test('without a count there is no percentile', () => expect(quantileMs(new Map(), 0.5)).toBeUndefined());

test('however long it takes, there are 81 buckets', () => expect(bucketOf(1e12)).toBe(80));
