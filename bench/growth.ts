// What a long backlog costs a worker: its memory, its rate and its processor time at 1,000, 100,000 and 1,000,000 writes.
// A producer in a process of its own keeps the backlog that long, so that the shortest can be measured like the longest.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HEAP_FILE, HEAP_SIGNAL } from './arms/backlog.ts';
import type { Arm, Bench, Sample, World } from './kernel/bench.ts';
import { reached, taskFor } from './kernel/delivering.ts';
import { type ArmProcess, startArm } from './kernel/process.ts';

const CONCURRENCY = 100;
const COUNTS = { warmUp: 4000, count: 20_000 };
const QUICK = { warmUp: 1000, count: 4000 };
/** Of a backlog, where only running is to be tried; the shortest stays. */
const QUICK_SHARE = 0.02;
const SHORTEST = 1000;
const FILL_LIMIT_MS = 900_000;
const START_LIMIT_MS = 60_000;
const HEAP_LIMIT_MS = 20_000;
const POLL_MS = 20;

const MODULE = 'bench/arms/backlog.ts';
const WAYBILL = { queue: 'waybill', waitingIn: '{waybill:bench}:bench:wait' };
const BARE = { queue: 'bullmq', by: 'dispatch', waitingIn: 'bull:bench:wait' };

const armOf = (name: string, title: string, params: Record<string, unknown>, backlog: number): Arm => ({
  name,
  title: `${title}, ${backlog.toLocaleString('en-GB')} waiting`,
  module: MODULE,
  params: { ...params, backlog },
});

const GROWN = { of: 'E-1m', to: 'E-1k' };
const BESIDE_BARE = { of: 'E-100k', to: 'C-100k' };

export const growth: Bench = {
  name: 'growth',
  title: 'Growth: a worker at a backlog that a producer keeps as long as it is',
  safeties: ['everysec'],
  arms: [
    armOf('E-1k', 'Waybill', WAYBILL, SHORTEST),
    armOf('E-100k', 'Waybill', WAYBILL, 100_000),
    armOf('E-1m', 'Waybill', WAYBILL, 1_000_000),
    armOf('C-100k', 'BullMQ + undici dispatch, bare', BARE, 100_000),
  ],
  figures: [
    { name: 'rate', title: 'deliveries/s' },
    { name: 'workerUs', title: 'worker CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU with that of adding, s per 10,000', places: 3, times: 0.01 },
    { name: 'rssMb', title: 'worker memory, MB', places: 1 },
    { name: 'heapMb', title: 'its heap after collection, MB', places: 1 },
    { name: 'waiting', title: 'waiting at the end' },
    { name: 'redisMb', title: 'Redis memory, MB' },
  ],
  ratios: [
    {
      what: 'deliveries/s, a long backlog',
      figure: 'rate',
      ...GROWN,
      must: { atLeast: 0.9 },
      stretch: { atLeast: 0.97 },
    },
    { what: 'worker CPU, a long backlog', figure: 'workerUs', ...GROWN },
    { what: 'Redis CPU, a long backlog', figure: 'redisUs', ...GROWN },
    {
      what: 'worker memory, a long backlog',
      figure: 'rssMb',
      ...GROWN,
      must: { atMost: 1.1 },
      stretch: { atMost: 1.05 },
    },
    {
      what: 'worker heap, a long backlog',
      figure: 'heapMb',
      ...GROWN,
      must: { atMost: 1.1 },
      stretch: { atMost: 1.05 },
    },
    { what: 'worker memory', figure: 'rssMb', ...BESIDE_BARE, must: { atMost: 1.25 }, stretch: { atMost: 1.1 } },
    { what: 'worker heap', figure: 'heapMb', ...BESIDE_BARE },
  ],
  measure: async (arm, world) => {
    const longest = Number(arm.params?.backlog);
    const backlog = world.quick ? Math.max(SHORTEST, longest * QUICK_SHARE) : longest;
    const task = await taskFor(arm, world, { count: backlog, concurrency: CONCURRENCY });
    const producer = startArm(arm, 'feed', task, FILL_LIMIT_MS);
    try {
      await producer.done;
      const worker = startArm(arm, 'work', task, START_LIMIT_MS);
      try {
        return await measureWorker(arm, world, worker);
      } finally {
        await worker.end();
      }
    } finally {
      await producer.end();
    }
  },
};

async function measureWorker(arm: Arm, world: World, worker: ArmProcess): Promise<Sample> {
  const { warmUp, count } = world.quick ? QUICK : COUNTS;
  const look = async () => {
    const [done, usage, redis] = await Promise.all([world.upstream.look(), worker.usage(), world.redis.look()]);
    return { done, usage, redis };
  };
  await reached(world.upstream, worker, warmUp);
  const from = await look();
  await reached(world.upstream, worker, warmUp + count);
  const to = await look();
  const delivered = to.done.count - from.done.count;
  return {
    rate: (delivered / (to.done.atMs - from.done.atMs)) * 1000,
    workerUs: (to.usage.cpuUs - from.usage.cpuUs) / delivered,
    redisUs: (to.redis.cpuUs - from.redis.cpuUs) / delivered,
    rssMb: to.usage.rssBytes / 1e6,
    heapMb: (await heapBytes(worker, world.dir)) / 1e6,
    waiting: await world.redis.client.llen(String(arm.params?.waitingIn)),
    redisMb: to.redis.usedBytes / 1e6,
  };
}

/** While it works on. */
async function heapBytes(worker: ArmProcess, dir: string): Promise<number> {
  process.kill(worker.pid, HEAP_SIGNAL);
  for (const until = performance.now() + HEAP_LIMIT_MS; performance.now() < until; await sleep(POLL_MS)) {
    const told = Number(await readFile(join(dir, HEAP_FILE), 'utf8').catch(() => ''));
    if (told > 0) return told;
  }
  throw new Error(`the worker did not tell its heap within ${HEAP_LIMIT_MS} ms`);
}
