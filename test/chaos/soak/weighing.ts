// What a process weighs, over time: memory and open descriptors as the system has them, and the heap in use where it tells.
import { readdir, readFile } from 'node:fs/promises';
import type { Child } from '../child.ts';
import { quantile, slope } from '../statistics.ts';

const HOUR_MS = 3_600_000;
const MB = 1024 * 1024;

export type Series = (readonly [atMs: number, value: number])[];

export interface Scale {
  readonly rss: Series;
  readonly heap: Series;
  readonly descriptors: Series;
  /** @param askHeap costs the process a collection */
  weigh(askHeap: boolean): Promise<void>;
}

export function startScale(child: Child): Scale {
  const [rss, heap, descriptors]: [Series, Series, Series] = [[], [], []];
  child.onMessage((message) => {
    if (typeof message === 'object' && message && 'heapBytes' in message)
      heap.push([performance.now(), Number(message.heapBytes) / MB]);
  });
  return {
    rss,
    heap,
    descriptors,
    weigh: async (askHeap) => {
      const now = performance.now();
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      rss.push([now, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024]);
      descriptors.push([now, (await readdir(`/proc/${child.pid}/fd`)).length]);
      if (askHeap) child.send({ ask: 'heap' });
    },
  };
}

export interface Trend {
  /** By least squares. */
  readonly perHour: number;
  /** What the line explains of the values: 1 is a line, 0 is noise. */
  readonly fit: number;
  /** By how much the last quarter's median is above the first quarter's. */
  readonly rise: number;
}

/** @param fromMs leaves out what was before: the warm-up */
export function trendOf(series: Series, fromMs: number): Trend {
  const points = series.filter(([at]) => at >= fromMs);
  if (points.length < 8) return { perHour: 0, fit: 0, rise: 0 };
  const perMs = slope(points);
  const values = points.map(([, value]) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanAt = points.reduce((sum, [at]) => sum + at, 0) / points.length;
  const all = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const explained = points.reduce((sum, [at]) => sum + (perMs * (at - meanAt)) ** 2, 0);
  const quarter = Math.floor(values.length / 4);
  return {
    perHour: perMs * HOUR_MS,
    fit: all === 0 ? 0 : explained / all,
    rise: quantile(values.slice(-quarter), 0.5) - quantile(values.slice(0, quarter), 0.5),
  };
}
