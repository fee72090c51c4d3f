// What a process weighs, over time: memory and open descriptors as the system has them; the heap in use and the delay of
// its event loop where it tells them.
import { readdir, readFile } from 'node:fs/promises';
import type { Child } from '../child.ts';
import { until } from '../until.ts';

const MB = 1024 * 1024;
/** One that is stopped tells it when it goes on. */
const TOLD_LIMIT_MS = 4000;

export type Series = (readonly [atMs: number, value: number])[];

export interface Weights {
  /** Resident memory. */
  readonly rssMb: Series;
  readonly descriptors: Series;
  /** In use after a collection. */
  readonly heapMb: Series;
  /** The 99th percentile since it was last asked, of delays that a timer of 10 ms had. */
  readonly loopMs: Series;
}

export interface Scale extends Weights {
  /** Adds to every series what can be had now; a process that is away adds nothing. */
  weigh(): Promise<void>;
}

/** @param child has soak/tell-weight.ts beside its program */
export function scaleOf(child: Child): Scale {
  const weights: Weights = { rssMb: [], descriptors: [], heapMb: [], loopMs: [] };
  child.onMessage((message) => {
    if (typeof message !== 'object' || !message || !('heapBytes' in message) || !('loopMs' in message)) return;
    weights.heapMb.push([performance.now(), Number(message.heapBytes) / MB]);
    weights.loopMs.push([performance.now(), Number(message.loopMs)]);
  });
  return {
    ...weights,
    weigh: async () => {
      const told = weights.heapMb.length;
      child.send({ ask: 'weight' });
      await until('it tells its weight', () => weights.heapMb.length > told, TOLD_LIMIT_MS, 20).catch(() => {});
      // After the collection, which gives memory back.
      await weighFromOutside(child.pid, weights);
    },
  };
}

/** What the system says of a process, if it is there. */
export async function weighFromOutside(pid: number, { rssMb, descriptors }: Weights): Promise<void> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const open = await readdir(`/proc/${pid}/fd`);
    rssMb.push([performance.now(), Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024]);
    descriptors.push([performance.now(), open.length]);
  } catch {
    // It has just ended.
  }
}
