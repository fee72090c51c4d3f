// The time that a chart spans, in slices of a round length.
import type { Slices } from '../../queue/groups.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LONGEST = 30 * DAY;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
  LONGEST,
];

/**
 * The slices that hold both ends, of the shortest length with which they are at most `most`.
 * @param from epoch ms
 * @param to epoch ms
 * @param most at least 2
 */
export function slicesOf(from: number, to: number, most: number): Slices {
  const fits = (stepMs: number): boolean => countOf(from, to, stepMs) <= most;
  let stepMs = STEPS.find(fits) ?? LONGEST;
  while (!fits(stepMs)) stepMs += LONGEST;
  const begin = Math.floor(from / stepMs) * stepMs;
  return { from: begin, stepMs, slices: countOf(from, to, stepMs) };
}

const countOf = (from: number, to: number, stepMs: number): number =>
  Math.floor(Math.max(from, to) / stepMs) - Math.floor(from / stepMs) + 1;
