// Tells the onSettled hook of every write that was settled, at least once: the step that settles a write notes it, the
// note goes when the hook has returned, and what stays noted for too long is told again, by any worker with the hook.
import { setTimeout } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { getLetter } from './dead-letters.ts';
import { type Ending, endingOfDead, readDelivered } from './ending.ts';
import { generationOfLetter, unsaidKey } from './keys.ts';

/** Called after a write was settled; until it returns, or its promise is fulfilled, the write counts as not told. */
export type OnSettled = (ending: Ending) => void | Promise<void>;

export interface TellerOptions {
  destination: string;
  client: Redis | Cluster;
  /** WaybillBackend.claimUntold */
  claim: (before: number, count: number, now: number) => Promise<string[]>;
  onSettled: OnSettled;
  /** What is not told within this time is told again; also the longest that the hook may take. */
  withinMs: number;
  /** Hooks that run at once. */
  concurrency: number;
  onError: (error: Error) => void;
}

export interface Teller {
  /** Tells of a write that this worker has settled, without waiting. @param id the job id of a delivered, the letter id of a dead one */
  readonly tell: (id: string, ending: Ending) => void;
  /** Waits for the hooks that run, up to their time. */
  stop(): Promise<void>;
}

/** What was left untold is taken in slices. */
const SLICE = 100;

export function createTeller(options: TellerOptions): Teller {
  const { destination, client, claim, onSettled, withinMs, concurrency, onError } = options;
  const key = unsaidKey(destination);
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();

  const tellOne = async (id: string, ending: Ending): Promise<void> => {
    const late = new AbortController();
    const limit = setTimeout(withinMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`onSettled took longer than ${withinMs} ms for ${id}; it will be told again`);
    });
    try {
      await Promise.race([Promise.resolve(ending).then(onSettled), limit]);
      await client.zrem(key, id);
    } catch (error) {
      onError(error instanceof Error ? error : new Error('onSettled threw what is no error'));
    } finally {
      limit.catch(() => {});
      late.abort();
    }
  };
  const start = (id: string, ending: Ending): void => {
    const told = tellOne(id, ending).finally(() => running.delete(told));
    running.add(told);
  };
  const again = async (): Promise<void> => {
    for (;;) {
      await setTimeout(withinMs / 2, undefined, { signal: stopped.signal, ref: false });
      try {
        const now = Date.now();
        for (const id of await claim(now - withinMs, SLICE, now)) {
          if (stopped.signal.aborted) return;
          while (running.size >= concurrency) await Promise.race(running);
          const ending = await endingOf(client, destination, id);
          if (ending) start(id, ending);
          else await client.zrem(key, id);
        }
      } catch (error) {
        if (!stopped.signal.aborted) onError(error as Error);
      }
    }
  };
  again().catch(() => {});

  return {
    tell: (id, ending) => {
      // Beyond that it is left noted: settling must not wait for a slow hook.
      if (!stopped.signal.aborted && running.size < concurrency) start(id, ending);
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(running);
    },
  };
}

/** @returns undefined where retention has taken it away */
async function endingOf(client: Redis | Cluster, destination: string, id: string): Promise<Ending | undefined> {
  if (generationOfLetter(id) === undefined) return readDelivered(client, destination, id);
  const letter = await getLetter({ client }, destination, id);
  return letter && endingOfDead({ ...letter, state: 'open' });
}
