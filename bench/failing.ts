// What an attempt costs that the API answers with 503, beside one that is delivered.
import { MAX_ATTEMPTS } from '../core/write.ts';
import { WAYBILL } from './deliveries.ts';
import type { Arm, Bench, Sample } from './kernel/bench.ts';
import { deliver } from './kernel/delivering.ts';

const CONCURRENCY = 100;
const COUNTS = { warmUp: 4000, count: 20_000 };
const QUICK = { warmUp: 1000, count: 4000 };
/** Left when the window of first attempts closes: a retry stands behind them. */
const TAIL = 2000;
/** So few writes that in a window all of them are tried again and again. */
const TRIES_IN_WINDOW = 4;
const BACK_OFF = { baseMs: 1, capMs: 1, jitter: 0 };

/** A first attempt that fails, and the delivery of the second one. */
const ONCE: Arm = {
  ...WAYBILL,
  name: 'E-once',
  title: 'Waybill, 503 once, then 201',
  params: { retry: BACK_OFF },
};
const ALWAYS: Arm = {
  ...WAYBILL,
  name: 'E-503',
  title: 'Waybill, 503 to every attempt',
  params: { retry: { ...BACK_OFF, maxAttempts: MAX_ATTEMPTS } },
};

export const failing: Bench = {
  name: 'failing',
  title: 'A failing API: attempts that are answered 503, with a back-off of 1 ms',
  arms: [{ ...WAYBILL, title: 'Waybill, 201' }, ONCE, ALWAYS],
  figures: [
    { name: 'rate', title: 'attempts/s' },
    { name: 'workerUs', title: 'worker CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'redisUs', title: 'Redis CPU, s per 10,000', places: 3, times: 0.01 },
    { name: 'totalUs', title: 'both, s per 10,000', places: 3, times: 0.01 },
    { name: 'secondUs', title: 'both, for the delivery after a failure', places: 3, times: 0.01 },
    { name: 'scripts', title: 'scripts per attempt', places: 2 },
  ],
  ratios: [
    {
      what: 'CPU of a failed attempt',
      figure: 'totalUs',
      of: 'E-once',
      to: 'E',
      must: { atMost: 1.25 },
      stretch: { atMost: 1.1 },
    },
    { what: 'CPU of a delivery after a failure', figure: 'secondUs', of: 'E-once', to: 'E', toFigure: 'totalUs' },
    { what: 'attempts/s', figure: 'rate', of: 'E-503', to: 'E', must: { atLeast: 0.5 }, stretch: { atLeast: 0.8 } },
    { what: 'CPU of a failed attempt, tried on', figure: 'totalUs', of: 'E-503', to: 'E' },
  ],
  measure: async (arm, world) => {
    const plan = { ...(world.quick ? QUICK : COUNTS), concurrency: CONCURRENCY };
    if (arm.name === 'E') return withTotal(await deliver(arm, world, plan));
    if (arm.name === 'E-503') {
      const backlog = Math.ceil(plan.count / TRIES_IN_WINDOW);
      return withTotal(await deliver(arm, world, { ...plan, status: 503, backlog }));
    }
    const backlog = plan.warmUp + plan.count + TAIL;
    const failed = withTotal(await deliver(arm, world, { ...plan, status: 503, backlog }));
    // The same writes, by a new worker; those of the tail come first.
    const { totalUs: secondUs } = withTotal(
      await deliver(arm, world, { ...plan, warmUp: TAIL, count: plan.count, backlog: 0 }),
    );
    return { ...failed, ...(secondUs !== undefined && { secondUs }) };
  },
};

const withTotal = (sample: Sample): Sample => ({
  ...sample,
  totalUs: (sample.workerUs ?? Number.NaN) + (sample.redisUs ?? Number.NaN),
});
