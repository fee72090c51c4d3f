// What a delivery costs: Waybill beside the parts it stands on, what one writes by hand, and other queues.
import type { Arm, Bench } from './kernel/bench.ts';
import { deliver } from './kernel/delivering.ts';

const CONCURRENCY = 100;
const COUNTS = { warmUp: 10_000, count: 20_000, counted: 2000 };
const QUICK = { warmUp: 1000, count: 4000, counted: 1000 };

export const RAW: Arm = {
  name: 'A',
  title: 'undici dispatch, no queue',
  module: 'bench/arms/raw.ts',
  params: { fill: false },
};
export const NO_OP: Arm = {
  name: 'B',
  title: 'BullMQ, a worker that does nothing',
  module: 'bench/arms/bullmq.ts',
  params: { by: 'nothing', countedIn: 'bull:bench:completed' },
};
export const BARE: Arm = {
  name: 'C',
  title: 'BullMQ + undici dispatch, bare',
  module: 'bench/arms/bullmq.ts',
  params: { by: 'dispatch' },
};
export const BY_HAND: Arm = {
  name: 'D',
  title: 'BullMQ + fetch, by hand',
  module: 'bench/arms/bullmq.ts',
  params: { by: 'fetch' },
};
export const WAYBILL: Arm = { name: 'E', title: 'Waybill, everything on', module: 'bench/arms/waybill.ts' };

const BEE: Arm = { name: 'bee-queue', title: '(Redis)', module: 'bench/peers/bee-queue.ts' };
const BATCHED: Arm = {
  name: 'graphile-batched',
  title: '(PostgreSQL; graphile-worker with local queue and batched completion)',
  module: 'bench/peers/graphile-worker.ts',
  params: { batched: true },
  needs: 'postgres',
};
const BOSS: Arm = {
  name: 'pg-boss',
  title: '(PostgreSQL; batches of 100)',
  module: 'bench/peers/pg-boss.ts',
  needs: 'postgres',
};

const byDispatch = (arm: Arm): Arm => ({
  ...arm,
  name: `${arm.name}-dispatch`,
  title: 'the same with dispatch',
  params: { ...arm.params, by: 'dispatch' },
});

/** Each sends with undici's request, as most people would who know that fetch is slow; the quickest also as C and E do. */
const PEERS: readonly Arm[] = [
  ...[BEE, BATCHED, BOSS].flatMap((arm) => [arm, byDispatch(arm)]),
  {
    name: 'graphile',
    title: '(PostgreSQL; graphile-worker as it is by default)',
    module: 'bench/peers/graphile-worker.ts',
    needs: 'postgres',
  },
  {
    name: 'bullmq-postgres',
    title: '(PostgreSQL; C on its other store)',
    module: 'bench/peers/bullmq-postgres.ts',
    needs: 'postgres',
  },
];

export const deliveries: Bench = {
  name: 'deliveries',
  title: 'Deliveries: one worker process, 100 at once, a body of 500 bytes',
  arms: [RAW, NO_OP, BARE, BY_HAND, WAYBILL, ...PEERS],
  figures: [
    { name: 'rate', title: 'deliveries/s' },
    { name: 'workerUs', title: 'worker CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'serverUs', title: 'PostgreSQL CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'commands', title: 'commands to Redis per delivery', places: 3 },
    { name: 'maxRssMb', title: 'worker memory, MB' },
  ],
  ratios: [
    { what: 'worker CPU', figure: 'workerUs', of: 'E', to: 'C', must: { atMost: 1.25 }, stretch: { atMost: 1.15 } },
    { what: 'worker CPU', figure: 'workerUs', of: 'E', to: 'D', must: { atMost: 0.4 }, stretch: { atMost: 0.36 } },
    { what: 'deliveries/s', figure: 'rate', of: 'E', to: 'C', must: { atLeast: 0.8 }, stretch: { atLeast: 0.9 } },
    { what: 'deliveries/s', figure: 'rate', of: 'E', to: 'D', must: { atLeast: 2.2 }, stretch: { atLeast: 2.6 } },
    ...['graphile', 'pg-boss', 'bullmq-postgres'].map((to) => ({
      what: 'deliveries/s',
      figure: 'rate',
      of: 'E',
      to,
      must: { atLeast: 1 },
    })),
    { what: 'deliveries/s', figure: 'rate', of: 'E', to: 'bee-queue', stretch: { atLeast: 1 } },
    ...['graphile-batched', 'bee-queue-dispatch', 'graphile-batched-dispatch', 'pg-boss-dispatch'].map((to) => ({
      what: 'deliveries/s',
      figure: 'rate',
      of: 'E',
      to,
    })),
    { what: 'commands per delivery', figure: 'commands', of: 'E', must: { atMost: 1.05 }, stretch: { atMost: 1.01 } },
    { what: 'worker memory', figure: 'maxRssMb', of: 'E', to: 'C', must: { atMost: 1.25 }, stretch: { atMost: 1.1 } },
  ],
  measure: (arm, world) => deliver(arm, world, { ...(world.quick ? QUICK : COUNTS), concurrency: CONCURRENCY }),
};
