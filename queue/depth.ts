// How deep the queues are and how old what waits in them: what a scrape of the metrics reads, in two pipelines a
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
  /**
   * How long ago the oldest waiting write was added, ms; 0 while none waits. Of a long line its ends are looked at: the
   * next LOOK and the last LOOK, of writes with a priority and of those without.
   */
  oldestWaitingMs: number;
}

/** Neither end alone holds the oldest: a retry joins the line as its last, a low priority is passed by all others. */
const LOOK = 10;

/** @throws what Redis refuses with */
export async function readDepth(client: Redis | Cluster, destination: string): Promise<Depth> {
  const base = `${prefixOf(destination)}:${destination}`;
  const [waiting, prioritized, active, delayed, delivered, dead, ...ends] = await replies(
    client
      .pipeline()
      .llen(`${base}:wait`)
      .zcard(`${base}:prioritized`)
      .llen(`${base}:active`)
      .zcard(`${base}:delayed`)
      .zcard(`${base}:completed`)
      .zcard(rowKeys(destination).byTime)
      .lrange(`${base}:wait`, -LOOK, -1)
      .lrange(`${base}:wait`, 0, LOOK - 1)
      .zrange(`${base}:prioritized`, '0', `${LOOK - 1}`)
      .zrange(`${base}:prioritized`, `${-LOOK}`, '-1'),
  );
  const ids = new Set((ends as string[][]).flat());
  let oldestWaitingMs = 0;
  if (ids.size > 0) {
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
