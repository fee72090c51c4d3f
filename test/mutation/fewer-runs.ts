// A property is tried for every mutant: a few fixed examples each time, so that a mutant's fate is the same in every run.
import type { IRawProperty, Parameters } from 'fast-check';
import { vi } from 'vitest';

const RUNS = 25;
/** Of a property that asks for more than most do, as random histories do. */
const MANY_RUNS = 200;

vi.mock('fast-check', async (importOriginal) => {
  const original = await importOriginal<typeof import('fast-check')>();
  const assert = <Ts>(property: IRawProperty<Ts>, { numRuns = RUNS, ...asked }: Parameters<Ts> = {}) =>
    original.assert(property, { seed: 1, ...asked, numRuns: Math.min(numRuns, MANY_RUNS) });
  return { ...original, assert, default: { ...original.default, assert } };
});
