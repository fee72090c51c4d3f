// What the soak calls flat, and what it does not.
import { expect, test } from 'vitest';
import { figuresOf, grownOf } from './soak/flat.ts';
import type { Series, Weights } from './soak/weighing.ts';

const EVERY_MS = 10_000;
const BOUNDS = { heapMb: 2, rssMb: 32, descriptors: 15 };

/** An hour of weighings. */
const hour = (valueAt: (hours: number) => number): Series =>
  Array.from({ length: 360 }, (_, i) => [i * EVERY_MS, valueAt((i * EVERY_MS) / 3_600_000)] as const);

const weightsWith = (heapMb: Series): Weights => ({
  heapMb,
  rssMb: hour(() => 140),
  descriptors: hour(() => 28),
  loopMs: hour(() => 11),
});

test('a heap that rises by more than its bound in an hour has grown, and is told by its slope', () =>
  expect(grownOf('worker', weightsWith(hour((hours) => 30 + 3 * hours)), BOUNDS)).toEqual([
    'worker: heap MB grow by 3 an hour, and 2 is the most',
  ]));

test('a warm-up, single peaks and a slow rise within the bound are flat', () => {
  const series = hour((hours) => (hours < 1 / 3 ? 20 + 30 * hours : 30 + hours));
  const peaks = series.map(([at, value], i) => [at, i % 25 === 0 ? value + 40 : value] as const);
  expect(grownOf('worker', weightsWith(peaks), BOUNDS)).toEqual([]);
});

test('its figures are numbers: what is weighed at last, and the slope an hour', () =>
  expect(figuresOf('worker', weightsWith(hour((hours) => 30 + hours)))).toMatchObject({
    'worker heap MB': 31,
    'worker heap MB /h': 1,
    'worker RSS MB /h': 0,
    'worker descriptors': 28,
    'worker event loop p99 ms': 11,
  }));
