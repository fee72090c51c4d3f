// A short slice of the campaign, always of the same seed: every fault that is quick enough, and the worker that everybody
// writes, which must not pass it. The whole of it is `npm run chaos`.
import { describe, expect, test } from 'vitest';
import { FAULTS } from './faults/index.ts';
import { usualWorkerAtLetter } from './faults/usual-worker.ts';
import { INVARIANTS, type Invariant } from './judge.ts';
import { type Result, runFault } from './run.ts';

const SEED = 5;
const LIMIT_MS = 90_000;

const brokenIn = ({ invariants, broken }: Result): string[] => [
  ...(Object.keys(INVARIANTS) as Invariant[]).flatMap((name) =>
    invariants[name].violations > 0 ? [`${name}: ${invariants[name].samples.join(' | ')}`] : [],
  ),
  ...broken,
];

describe('every promise is kept under', () => {
  test.each(FAULTS.filter(({ slice }) => slice > 0))(
    '$name: $title',
    async (fault) => {
      const result = await runFault(fault, SEED, fault.slice);
      expect(brokenIn(result)).toEqual([]);
      expect(result.amount).toBeGreaterThanOrEqual(fault.slice);
      expect(result.writes).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

test(
  'the worker that everybody writes loses each write whose dead letter a kill -9 keeps it from adding',
  async () => {
    const { invariants } = await runFault(usualWorkerAtLetter, SEED, 2);
    expect(invariants.I1.violations).toBe(2);
  },
  LIMIT_MS,
);
