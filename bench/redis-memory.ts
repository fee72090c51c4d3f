// What Redis holds of a write: while it waits, once it is delivered, once it is dead. Exact, so that few rounds do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Arm, Bench, World } from './kernel/bench.ts';
import { taskFor } from './kernel/delivering.ts';
import { callArm, startArm } from './kernel/process.ts';

const COUNT = 5000;
const QUICK_COUNT = 500;
const CONCURRENCY = 100;
const FILL_LIMIT_MS = 300_000;
const START_LIMIT_MS = 60_000;
const SETTLE_LIMIT_MS = 300_000;
const POLL_MS = 50;
const AT_ONCE = 1000;

/** What docs/redis.md advises, and what a server has that nobody has told otherwise. */
const LISTPACK_BYTES = { advised: 1024, plain: 64 };
const LISTPACK = 'hash-max-listpack-value';

const MODULE = 'bench/arms/stored.ts';
const KEY = '{waybill:bench}:bench';
const armOf = (name: string, title: string, params: Record<string, unknown>): Arm => ({
  name,
  title,
  module: MODULE,
  params,
});
const waybill = { queue: 'waybill', bodyBytes: 500 };
const delivered = { ...waybill, status: 201, settledIn: `${KEY}:completed` };
/** Its one attempt is answered so: a letter with an envelope. */
const dead = { ...waybill, status: 503, settledIn: `${KEY}.dead:prioritized`, retry: { maxAttempts: 1 } };

const WRITE = { of: 'E-waiting', to: 'Q-waiting', must: { atMost: 1.15 }, stretch: { atMost: 1.05 } };
const DEAD = { of: 'E-dead', to: 'E-waiting', must: { atMost: 4 }, stretch: { atMost: 3 } };
const TOMBSTONE = { must: { atMost: 700 }, stretch: { atMost: 450 } };
const PLAIN = ", Redis' own settings";

export const redisMemory: Bench = {
  name: 'redis-memory',
  title:
    'Redis memory: bytes for each write, all its keys and its share in the lists, without the trimmed stream of events',
  safeties: ['everysec'],
  arms: [
    armOf('Q-waiting', 'a BullMQ job that waits, bodies of 500 B', { ...waybill, queue: 'bullmq' }),
    armOf('E-waiting', 'a write that waits, bodies of 500 B', waybill),
    armOf('E-delivered', 'delivered, bodies of 500 B', delivered),
    armOf('E-delivered-20k', 'delivered, bodies of 20 KB', { ...delivered, bodyBytes: 20_000 }),
    armOf('E-dead', 'dead, bodies of 500 B: job, letter and rows', dead),
  ],
  figures: [
    { name: 'bytes', title: `bytes, ${LISTPACK} 1024` },
    { name: 'ownBytes', title: 'of that its own keys' },
    { name: 'usedBytes', title: 'all by used_memory' },
    { name: 'plainBytes', title: `bytes, ${LISTPACK} 64` },
    { name: 'plainOwnBytes', title: 'of that its own keys' },
    { name: 'plainUsedBytes', title: 'all by used_memory' },
  ],
  ratios: [
    { what: 'a waiting write', figure: 'bytes', ...WRITE },
    { what: `a waiting write${PLAIN}`, figure: 'plainBytes', ...WRITE },
    { what: 'a delivered write, B', figure: 'bytes', of: 'E-delivered', ...TOMBSTONE },
    { what: `a delivered write, B${PLAIN}`, figure: 'plainBytes', of: 'E-delivered', ...TOMBSTONE },
    { what: 'a delivered write of 20 KB, B', figure: 'bytes', of: 'E-delivered-20k', ...TOMBSTONE },
    { what: `a delivered write of 20 KB, B${PLAIN}`, figure: 'plainBytes', of: 'E-delivered-20k', ...TOMBSTONE },
    { what: 'a dead write', figure: 'bytes', ...DEAD },
    { what: `a dead write${PLAIN}`, figure: 'plainBytes', ...DEAD },
  ],
  measure: async (arm, world) => {
    const { client } = world.redis;
    try {
      const advised = await weigh(arm, world, LISTPACK_BYTES.advised);
      await world.redis.empty();
      const plain = await weigh(arm, world, LISTPACK_BYTES.plain);
      return {
        ...advised,
        plainBytes: plain.bytes,
        plainOwnBytes: plain.ownBytes,
        plainUsedBytes: plain.usedBytes,
      };
    } finally {
      await client.config('SET', LISTPACK, LISTPACK_BYTES.advised);
    }
  },
};

type Weight = Record<'bytes' | 'ownBytes' | 'usedBytes', number>;

async function weigh(arm: Arm, world: World, listpackBytes: number): Promise<Weight> {
  const { client } = world.redis;
  const count = world.quick ? QUICK_COUNT : COUNT;
  const { status, settledIn } = arm.params ?? {};
  await client.config('SET', LISTPACK, listpackBytes);
  await world.upstream.reset(status === undefined ? undefined : Number(status));
  const usedBefore = await usedBytes(client);
  const task = await taskFor(arm, world, { count, concurrency: CONCURRENCY });
  await callArm(arm, 'fill', task, FILL_LIMIT_MS);
  if (typeof settledIn === 'string') {
    const worker = startArm(arm, 'work', task, START_LIMIT_MS);
    try {
      await worker.done;
      await settled(client, settledIn, count);
    } finally {
      await worker.end();
    }
  }
  const { own, shared, events } = await weighKeys(client);
  return {
    bytes: (own + shared) / count,
    ownBytes: own / count,
    usedBytes: ((await usedBytes(client)) - usedBefore - events) / count,
  };
}

async function settled(client: Redis, key: string, count: number): Promise<void> {
  for (const until = performance.now() + SETTLE_LIMIT_MS; performance.now() < until; await sleep(POLL_MS)) {
    if ((await client.zcard(key)) >= count) return;
  }
  throw new Error(`fewer than ${count} in ${key} within ${SETTLE_LIMIT_MS} ms`);
}

/** The hash of a job or of a dead letter. */
const OWN = /:w[\w-]{22}(\.g\d+)?$/;

/**
 * @returns MEMORY USAGE of the keys that are one write's, of those that all share, and of the streams of events, whose
 *   length does not grow with the writes
 */
async function weighKeys(client: Redis): Promise<Record<'own' | 'shared' | 'events', number>> {
  const sum = { own: 0, shared: 0, events: 0 };
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'COUNT', AT_ONCE);
    cursor = next;
    const pipeline = client.pipeline();
    // Every element: samples of a list would be an estimate.
    for (const key of keys) pipeline.memory('USAGE', key, 'SAMPLES', 0);
    const replies = (await pipeline.exec()) ?? [];
    for (const [i, [error, bytes]] of replies.entries()) {
      if (error) throw error;
      const key = keys[i] ?? '';
      sum[OWN.test(key) ? 'own' : key.endsWith(':events') ? 'events' : 'shared'] += Number(bytes);
    }
  } while (cursor !== '0');
  return sum;
}

const usedBytes = async (client: Redis): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
