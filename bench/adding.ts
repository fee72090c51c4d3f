// What an add costs: Waybill's, which compares and answers, beside BullMQ's own of the same job.
import type { Arm, Bench, Ratio } from './kernel/bench.ts';
import { taskFor } from './kernel/delivering.ts';
import { callArm } from './kernel/process.ts';

const WAYS = [
  { way: '1', title: 'one after another', lanes: 1, each: 1, count: 6000 },
  { way: '100', title: '100 at once', lanes: 100, each: 1, count: 24_000 },
  { way: 'bulk', title: 'addBulk of 100', lanes: 1, each: 100, count: 24_000 },
] as const;
const QUICK_SHARE = 0.1;
const LIMIT_MS = 300_000;
const MODULE = 'bench/arms/adding.ts';

const arms: Arm[] = WAYS.flatMap(({ way, title, lanes, each, count }) => [
  {
    name: `Q-${way}`,
    title: `BullMQ, ${title}`,
    module: MODULE,
    params: { queue: 'bullmq', lanes, each, count },
  },
  {
    name: `E-${way}`,
    title: `Waybill, ${title}`,
    module: MODULE,
    params: { queue: 'waybill', lanes, each, count },
  },
]);

const ratios: Ratio[] = WAYS.flatMap(({ way, title }) => {
  const pair = { of: `E-${way}`, to: `Q-${way}` };
  return [
    { what: `adds/s, ${title}`, figure: 'rate', ...pair, must: { atLeast: 0.8 }, stretch: { atLeast: 0.92 } },
    { what: `producer CPU, ${title}`, figure: 'producerUs', ...pair },
    { what: `Redis CPU, ${title}`, figure: 'redisUs', ...pair },
  ];
});

export const adding: Bench = {
  name: 'adding',
  title: 'Adding: one producer process, the same job of a 500 B body with an id as long',
  arms,
  figures: [
    { name: 'rate', title: 'adds/s' },
    { name: 'producerUs', title: 'producer CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU, s per 10,000', places: 3, times: 0.01 },
  ],
  ratios,
  measure: async (arm, world) => {
    const count = Number(arm.params?.count) * (world.quick ? QUICK_SHARE : 1);
    const task = await taskFor(arm, world, { count, concurrency: 1 });
    return (await callArm(arm, 'add', task, LIMIT_MS)) as Record<string, number>;
  },
};
