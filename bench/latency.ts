// How long a write takes from when it is due to be added until the API has answered it, at a load that all arms can bear.
import { BARE, BY_HAND, WAYBILL } from './deliveries.ts';
import type { Arm, Bench, Sample, Task, World } from './kernel/bench.ts';
import { reached, taskFor } from './kernel/delivering.ts';
import { callArm, startArm } from './kernel/process.ts';

const CONCURRENCY = 100;
const LOADS = [200, 1000];
const SECONDS = 20;
const QUICK_SECONDS = 2;
/** Delivered beforehand: the worker is warm. */
const WARM_UP = 5000;
/**
 * Of each schedule, not counted: the producer is not. The first 2,000 adds of a process are compiled while they run, which
 * says how long a start takes, and nothing of the hundredth that is slowest later.
 */
const WARM_UP_S = 10;
const QUICK_WARM_UP_S = 1;
const LIMIT_MS = 60_000;

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 };

export const latency: Bench = {
  name: 'latency',
  title: 'Latency: from when a write is due to be added until the API has answered it, by a fixed schedule',
  arms: [BARE, BY_HAND, WAYBILL],
  safeties: ['everysec'],
  figures: LOADS.flatMap((load) =>
    Object.keys(SHARES).map((share) => ({ name: `${share}At${load}`, title: `${share} at ${load}/s, ms`, places: 2 })),
  ),
  ratios: LOADS.flatMap((load) => [
    {
      what: `p50 at ${load}/s`,
      figure: `p50At${load}`,
      of: 'E',
      to: 'C',
      must: { atMost: 1.3 },
      stretch: { atMost: 1.15 },
    },
    {
      what: `p99 at ${load}/s`,
      figure: `p99At${load}`,
      of: 'E',
      to: 'D',
      must: { atMost: 0.6 },
      stretch: { atMost: 0.4 },
    },
  ]),
  measure,
};

async function measure(arm: Arm, world: World): Promise<Sample> {
  const task = await taskFor(arm, world, { count: WARM_UP, concurrency: CONCURRENCY });
  await callArm(arm, 'fill', task, LIMIT_MS);
  const worker = startArm(arm, 'work', task, LIMIT_MS);
  try {
    await reached(world.upstream, worker, WARM_UP);
    let from = WARM_UP;
    const sample: Sample = {};
    const [warmUpS, seconds] = world.quick ? [QUICK_WARM_UP_S, QUICK_SECONDS] : [WARM_UP_S, SECONDS];
    for (const load of LOADS) {
      const count = load * (warmUpS + seconds);
      const firstAtMs = await produce(arm, task, { from, count, perSecond: load });
      await reached(world.upstream, worker, from + count);
      const waits = (await world.upstream.answeredAt(from + count))
        .slice(from)
        .map((at, i) => at - firstAtMs - (i * 1000) / load)
        .slice(load * warmUpS)
        .toSorted((a, b) => a - b);
      for (const [name, share] of Object.entries(SHARES)) {
        sample[`${name}At${load}`] = waits[Math.ceil(share * waits.length) - 1] ?? NaN;
      }
      from += count;
    }
    return sample;
  } finally {
    await worker.end();
  }
}

async function produce(arm: Arm, task: Task, schedule: object): Promise<number> {
  return (await callArm(arm, 'produce', { ...task, params: { ...task.params, schedule } }, LIMIT_MS)) as number;
}
