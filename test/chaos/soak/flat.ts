// What is flat: a slope that, over a whole hour, stays below what the smallest leak worth the name would make of it.
import { medianSlope } from '../statistics.ts';
import type { Series, Weights } from './weighing.ts';

const HOUR_MS = 3_600_000;
/** Programs fill their caches first: the first third is left out. */
const WARM_UP_SHARE = 1 / 3;

/** Fewer than these say nothing about an hour. */
const LEAST_WEIGHINGS = 100;

/** By how much each may rise in an hour. */
export interface Bounds {
  readonly heapMb: number;
  readonly rssMb: number;
  readonly descriptors: number;
}

const NAMES: Readonly<Record<keyof Weights, string>> = {
  heapMb: 'heap MB',
  rssMb: 'RSS MB',
  descriptors: 'descriptors',
  loopMs: 'event loop p99 ms',
};

/** @returns what each of them weighs at last, and its slope an hour, by the name of the figure */
export function figuresOf(who: string, weights: Weights): Record<string, number> {
  return Object.fromEntries(
    (Object.keys(NAMES) as (keyof Weights)[])
      .filter((what) => weights[what].length > 0)
      .flatMap((what) => [
        [`${who} ${NAMES[what]}`, rounded(weights[what].at(-1)?.[1] ?? 0)],
        [`${who} ${NAMES[what]} /h`, rounded(slopeAnHour(weights[what]))],
      ]),
  );
}

/** @returns a line for each that has grown by more than its bound in an hour */
export function grownOf(who: string, weights: Weights, bounds: Bounds): string[] {
  return (Object.keys(bounds) as (keyof Bounds)[]).flatMap((what) => {
    if (weights[what].length < LEAST_WEIGHINGS)
      return [`${who}: ${NAMES[what]} were weighed ${weights[what].length} times`];
    const anHour = slopeAnHour(weights[what]);
    return anHour <= bounds[what]
      ? []
      : [`${who}: ${NAMES[what]} grow by ${rounded(anHour)} an hour, and ${bounds[what]} is the most`];
  });
}

/** What is left of a series when the warm-up is taken off. */
export const warm = <Point>(points: readonly Point[]): readonly Point[] =>
  points.slice(Math.ceil(points.length * WARM_UP_SHARE));

const slopeAnHour = (series: Series): number => medianSlope(warm(series)) * HOUR_MS;

const rounded = (value: number): number => Math.round(value * 100) / 100;
