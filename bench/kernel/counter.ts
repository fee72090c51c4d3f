// What bounds a window: how many are done, as the upstream or, for an arm that sends nothing, as Redis has it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arm, World } from './bench.ts';

export interface Count {
  count: number;
  /** process.hrtime, ms. */
  atMs: number;
  cpuUs?: number;
}

export interface Counter {
  look(): Promise<Count>;
  /** Rejects after limitMs. */
  reached(count: number, limitMs: number): Promise<Count>;
}

const POLL_MS = 10;

/** @param arm params.countedIn: the sorted set in which its finished jobs stand */
export function counterOf({ params }: Arm, { upstream, redis }: World): Counter {
  const key = params?.countedIn;
  if (typeof key !== 'string') return upstream;
  const look = async (): Promise<Count> => ({
    count: await redis.client.zcard(key),
    atMs: Number(process.hrtime.bigint()) / 1e6,
  });
  return {
    look,
    reached: async (wanted, limitMs) => {
      for (const until = performance.now() + limitMs; performance.now() < until; await sleep(POLL_MS)) {
        const found = await look();
        if (found.count >= wanted) return found;
      }
      throw new Error(`fewer than ${wanted} finished within ${limitMs} ms`);
    },
  };
}
