// Random faults for sends without a plan: one draw per send decides on at most one fault, and the same seed and rates give
// the same faults in the same order.

import { type NamedStep, namedStep, OK } from './plan.ts';
import type { StepName } from './steps.ts';

/** `rates` maps step names to 0..1 and is already validated; their sum is at most 1. */
export function createRandomFaults(
  rates: Readonly<Partial<Record<StepName, number | undefined>>>,
  seed: number,
): () => NamedStep {
  const random = mulberry32(seed);
  // Sorted, so that the order in which an object was written changes nothing.
  const faults = Object.entries(rates)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, rate = 0]) => ({ rate, fault: namedStep(name) }));
  return () => {
    let left = random();
    for (const { rate, fault } of faults) {
      if (left < rate) return fault;
      left -= rate;
    }
    return OK;
  };
}

/** Tommy Ettinger's 32-bit generator (public domain): small, seedable, and good enough to spread faults. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
