// How deep the queues are and how old their next writes: what a scrape of the metrics reads, in one pipeline a
// destination and nothing else.
import type { Cluster, Redis } from 'ioredis';
import { prefixOf, rowKeys } from './keys.ts';

export interface Depth {
  waiting: number;
  active: number;
  /** Scheduled, retrying and postponed. */
  delayed: number;
  /** Kept tombstones of delivered writes. */
  delivered: number;
  dead: number;
  /** How long ago the waiting write that is next was added, ms; 0 while none waits. */
  oldestWaitingMs: number;
}

/** @throws what Redis refuses with */
export async function readDepth(client: Redis | Cluster, destination: string): Promise<Depth> {
  const base = `${prefixOf(destination)}:${destination}`;
  const [waiting, prioritized, active, delayed, delivered, dead, next, nextPrioritized] = await replies(
    client
      .pipeline()
      .llen(`${base}:wait`)
      .zcard(`${base}:prioritized`)
      .llen(`${base}:active`)
      .zcard(`${base}:delayed`)
      .zcard(`${base}:completed`)
      .zcard(rowKeys(destination).byTime)
      .lindex(`${base}:wait`, -1)
      .zrange(`${base}:prioritized`, '0', '0'),
  );
  const ids = [next, ...(nextPrioritized as string[])].filter((id) => typeof id === 'string');
  let oldestWaitingMs = 0;
  if (ids.length > 0) {
    const pipeline = client.pipeline();
    for (const id of ids) pipeline.hget(`${base}:${id}`, 'timestamp');
    // Gone since, or of a foreign producer: no age is known.
    const ages = (await replies(pipeline)).map((at) => (at === null ? 0 : Date.now() - Number(at)));
    oldestWaitingMs = Math.max(0, ...ages.filter(Number.isFinite));
  }
  return {
    waiting: Number(waiting) + Number(prioritized),
    active: Number(active),
    delayed: Number(delayed),
    delivered: Number(delivered),
    dead: Number(dead),
    oldestWaitingMs,
  };
}

async function replies(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
