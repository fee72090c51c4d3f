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
  /** What is not told within this time is told again, by others; a stop waits for a hook that long from its start. */
  withinMs: number;
  /** Hooks that run at once. */
  concurrency: number;
  onError: (error: Error) => void;
}

export interface Teller {
  /** Tells of a write that this worker has settled, without waiting. @param id the job id of a delivered, the letter id of a dead one */
  readonly tell: (id: string, ending: Ending) => void;
  /** Takes no more of what was left untold; what is settled until the end is told still. */
  stop(): void;
  /** Waits for the hooks that run, each for withinMs from its start. What it lets go of stays noted. */
  told(): Promise<void>;
}

/** How long a hook that failed keeps its slot, of the time that it has. */
const FAILED_PAUSE = 0.1;

/** One write that is being told of. It keeps its slot until the hook ends, or hooks that hang would pile up. */
interface Slot {
  ended: Promise<void>;
  endedOrLate: Promise<void>;
}

export function createTeller(options: TellerOptions): Teller {
  const { destination, client, claim, onSettled, withinMs, concurrency, onError } = options;
  const key = unsaidKey(destination);
  const stopped = new AbortController();
  const slots = new Map<string, Slot>();
  /** Slots for what is being claimed. */
  let reserved = 0;
  const free = (): number => concurrency - reserved - slots.size;

  const complain = (error: unknown): void => {
    try {
      onError(error instanceof Error ? error : new Error('onSettled threw what is no error'));
    } catch {
      // A log that cannot be written must not end the telling.
    }
  };
  const start = (id: string, ending?: Ending): void => {
    const inTime = new AbortController();
    const late = setTimeout(withinMs, undefined, { signal: inTime.signal, ref: false }).then(
      () =>
        complain(new Error(`onSettled takes longer than ${withinMs} ms for ${id}; its place is taken until it ends`)),
      () => {},
    );
    const ended = tellOne(id, ending, late)
      .catch((error: unknown) => {
        complain(error);
        // Whatever the hook calls may be down, and is not to be called without a pause.
        return setTimeout(withinMs * FAILED_PAUSE, undefined, { signal: stopped.signal, ref: false });
      })
      .catch(() => {})
      .finally(() => {
        inTime.abort();
        slots.delete(id);
      });
    slots.set(id, { ended, endedOrLate: Promise.race([ended, late]) });
  };
  const tellOne = async (id: string, known: Ending | undefined, late: Promise<void>): Promise<void> => {
    const ending = known ?? (await endingOf(client, destination, id));
    if (ending) await onSettled(ending);
    else complain(new Error(`${id} is kept no more, and onSettled was not told of it`));
    // The driver waits for Redis for as long as it takes.
    await Promise.race([client.zrem(key, id), late]);
  };
  /** @returns whether there may be more */
  const claimSome = async (): Promise<boolean> => {
    while (free() <= 0) await Promise.race([...slots.values()].map(({ ended }) => ended));
    if (stopped.signal.aborted) return false;
    const count = (reserved = free());
    try {
      const now = Date.now();
      const ids = await claim(now - withinMs, count, now);
      // One that hangs here is left to others.
      for (const id of ids) if (!slots.has(id)) start(id);
      return ids.length === count;
    } catch (error) {
      if (!stopped.signal.aborted) complain(error);
      return false;
    } finally {
      reserved = 0;
    }
  };
  const again = async (): Promise<void> => {
    for (;;) {
      while (await claimSome());
      // Apart from each other, or the same worker would always come first, also to what hangs in it.
      const pauseMs = (withinMs / 2) * (0.5 + Math.random() / 2);
      await setTimeout(pauseMs, undefined, { signal: stopped.signal, ref: false });
    }
  };
  // Not before the consumer, which claims, is made.
  void Promise.resolve()
    .then(again)
    .catch(() => {});

  return {
    tell: (id, ending) => {
      // Beyond that it is left noted: settling must not wait for a slow hook.
      if (free() > 0 && !slots.has(id)) start(id, ending);
    },
    stop: () => stopped.abort(),
    told: async () => {
      await Promise.all([...slots.values()].map(({ endedOrLate }) => endedOrLate));
    },
  };
}

/** @returns undefined where retention has taken it away */
async function endingOf(client: Redis | Cluster, destination: string, id: string): Promise<Ending | undefined> {
  if (generationOfLetter(id) === undefined) return readDelivered(client, destination, id);
  const letter = await getLetter({ client }, destination, id);
  return letter && endingOfDead({ ...letter, state: 'open' });
}
