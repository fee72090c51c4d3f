// What parts of a delivery cost that one might do without.
import { BARE, WAYBILL } from './deliveries.ts';
import type { Bench } from './kernel/bench.ts';
import { deliver } from './kernel/delivering.ts';

const COUNTS = { warmUp: 10_000, count: 20_000, concurrency: 100 };
const QUICK = { warmUp: 1000, count: 4000, concurrency: 100 };

export const parts: Bench = {
  name: 'parts',
  title: 'Parts of a delivery: what remains without them',
  arms: [
    BARE,
    WAYBILL,
    { ...WAYBILL, name: 'E-log', title: 'Waybill, no log lines', params: { without: 'log' } },
    { ...WAYBILL, name: 'E-metrics', title: 'Waybill, no metrics', params: { without: 'metrics' } },
  ],
  safeties: ['everysec'],
  figures: [
    { name: 'workerUs', title: 'worker CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'rate', title: 'deliveries/s' },
  ],
  ratios: ['E-log', 'E-metrics', 'C'].map((of) => ({ what: 'worker CPU', figure: 'workerUs', of, to: 'E' })),
  measure: (arm, world) => deliver(arm, world, world.quick ? QUICK : COUNTS),
};
