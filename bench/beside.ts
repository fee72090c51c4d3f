// Whether first attempts cost more where many other writes stand: delayed ones, or dead letters.
import { setTimeout as sleep } from 'node:timers/promises';
import { DESTINATION } from './arms/waybill.ts';
import { WAYBILL } from './deliveries.ts';
import type { Arm, Bench, Ratio, World } from './kernel/bench.ts';
import { deliver, taskFor } from './kernel/delivering.ts';
import { callArm, startArm } from './kernel/process.ts';

const CONCURRENCY = 100;
const COUNTS = { warmUp: 4000, count: 20_000, others: 100_000 };
const QUICK = { warmUp: 1000, count: 4000, others: 5000 };
const DAY_MS = 86_400_000;
const FILL_LIMIT_MS = 600_000;
const START_LIMIT_MS = 60_000;
const POLL_MS = 100;

const OTHERS = { name: 'others', title: 'those beside', module: 'bench/arms/others.ts' };
const DELAYED: Arm = { ...OTHERS, params: { delayMs: DAY_MS } };
/** Its one attempt is answered 503: a letter with an envelope and in doubt. */
const DYING: Arm = { ...OTHERS, params: { retry: { maxAttempts: 1 } } };

const ratios: Ratio[] = [
  { of: 'E-delayed', what: 'beside 100,000 delayed' },
  { of: 'E-dead', what: 'beside 100,000 dead letters' },
].flatMap(({ of, what }) => [
  {
    what: `deliveries/s ${what}`,
    figure: 'rate',
    of,
    to: 'E',
    must: { atLeast: 0.95 },
    stretch: { atLeast: 0.98 },
  },
  { what: `worker CPU ${what}`, figure: 'workerUs', of, to: 'E' },
  { what: `Redis CPU ${what}`, figure: 'redisUs', of, to: 'E' },
]);

export const beside: Bench = {
  name: 'beside',
  title: 'First attempts beside 100,000 other writes',
  safeties: ['everysec'],
  arms: [
    { ...WAYBILL, title: 'Waybill, alone' },
    { ...WAYBILL, name: 'E-delayed', title: 'beside 100,000 delayed writes' },
    { ...WAYBILL, name: 'E-dead', title: 'beside 100,000 dead letters' },
  ],
  figures: [
    { name: 'rate', title: 'deliveries/s' },
    { name: 'workerUs', title: 'worker CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'beside', title: 'beside' },
  ],
  ratios,
  measure: async (arm, world) => {
    const { others, ...plan } = world.quick ? QUICK : COUNTS;
    const delayed = arm.name === 'E-delayed' ? await putAside(world, DELAYED, others, 'delayed') : 0;
    const dead = arm.name === 'E-dead' ? await bury(world, others) : 0;
    const sample = await deliver(arm, world, { ...plan, concurrency: CONCURRENCY });
    return { ...sample, beside: delayed + dead };
  },
};

/** @returns how many stand there now */
async function putAside(world: World, arm: Arm, count: number, state: string): Promise<number> {
  await callArm(arm, 'fill', await taskFor(arm, world, { count, concurrency: CONCURRENCY }), FILL_LIMIT_MS);
  return world.redis.client.zcard(`{waybill:${DESTINATION}}:${DESTINATION}:${state}`);
}

/** As they come to be: a worker sends them and is refused. */
async function bury(world: World, count: number): Promise<number> {
  await world.upstream.reset(503);
  const task = await taskFor(DYING, world, { count, concurrency: CONCURRENCY });
  await callArm(DYING, 'fill', task, FILL_LIMIT_MS);
  const worker = startArm(DYING, 'work', task, START_LIMIT_MS);
  try {
    await worker.done;
    for (const until = performance.now() + FILL_LIMIT_MS; performance.now() < until; await sleep(POLL_MS)) {
      const letters = await world.redis.client.zcard(`{waybill:${DESTINATION}}:${DESTINATION}.dead:prioritized`);
      if (letters >= count) return letters;
    }
    throw new Error(`fewer than ${count} dead letters within ${FILL_LIMIT_MS} ms`);
  } finally {
    await worker.end();
  }
}
