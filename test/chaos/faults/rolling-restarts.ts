// SIGTERM of one worker after the other under load, each replaced before it ends: a deployment. No write may notice: each is
// sent exactly as often as its plan asks for, and every worker ends by itself.
import type { Campaign, ChaosWorker } from '../campaign.ts';
import type { Fault } from '../fault.ts';
import type { Plan } from '../plans.ts';
import { until } from '../until.ts';

const WRITES_PER_RESTART = 60;
const END_LIMIT_MS = 30_000;
const MAX_ATTEMPTS = 5;
/** Long enough that a busy machine does not run into it, short enough that a silent API does not hold up a restart. */
const TIMEOUT_MS = 2000;
const MAX_SAMPLES = 5;

const exits = new WeakMap<Campaign, (number | string)[]>();

export const rollingRestarts: Fault = {
  name: 'rolling-restarts',
  title: 'SIGTERM of one worker after the other under load, each replaced',
  published: 100,
  batch: 100,
  slice: 0,
  // Nobody dies here: a lock of a second, lost to a busy machine, would look as if somebody did.
  options: () => ({
    sandbox: { latencyMs: 30 },
    destination: { timeoutMs: TIMEOUT_MS },
    worker: { lockMs: 10_000 },
  }),
  inject: async (campaign, amount) => {
    const ended: (number | string)[] = [];
    exits.set(campaign, ended);
    const load = campaign.load({ backlog: 150, total: amount * WRITES_PER_RESTART });
    for (let i = 0; i < amount; i += 1) {
      load.allowed = (i + 1) * WRITES_PER_RESTART;
      await until('its share is on its way', () => load.added > i * WRITES_PER_RESTART, 120_000, 5);
      await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 30_000, 2).catch(
        () => {},
      );
      const [oldest] = campaign.workers;
      if (oldest) await Promise.all([stop(oldest).then((how) => ended.push(how)), campaign.startWorker()]);
    }
    await load.done;
    return amount;
  },
  extra: async (campaign) => {
    const forced = (exits.get(campaign) ?? []).filter((how) => how !== 0);
    const tooSlow = await keysOfTimeouts(campaign);
    const odd = [...campaign.ledger.entries()].flatMap(({ key, plan }) => {
      const sends = campaign.sandbox.entry(key)?.sends.length ?? 0;
      return sends === sendsOf(plan) || tooSlow.has(key)
        ? []
        : [`${key} [${plan.steps[0]}…]: sent ${sends} times, and its plan asks for ${sendsOf(plan)}`];
    });
    const lost = (await campaign.logLines()).filter((line) => /"lost":\d/.test(line)).length;
    campaign.figures['extra sends'] = odd.length;
    campaign.figures['answers that came too late, from a machine this busy'] = tooSlow.size;
    return [
      ...(forced.length > 0
        ? [`${forced.length} workers did not end by themselves: ${forced.slice(0, MAX_SAMPLES).join(', ')}`]
        : []),
      ...(lost > 0 ? [`${lost} starts left no record`] : []),
      ...odd.slice(0, MAX_SAMPLES),
    ];
  },
};

async function stop(worker: ChaosWorker): Promise<number | string> {
  worker.kill('SIGTERM');
  const timer = setTimeout(() => worker.kill('SIGKILL'), END_LIMIT_MS);
  const { code, signal } = await worker.exited;
  clearTimeout(timer);
  return code ?? signal ?? 'unknown';
}

/** Of a write that nothing disturbs: up to the first answer that ends it, at most so many times. */
function sendsOf({ steps, ending }: Plan): number {
  const ends = ending === 'delivered' ? /^(ok|slow:\d+|truncated)$/ : /^(30\d|40[0-79]|422|not-json-400|echo-403)/;
  const end = steps.findIndex((step) => ends.test(step));
  return Math.min(end < 0 ? steps.length + 1 : end + 1, MAX_ATTEMPTS);
}

/** Writes that had an attempt run into the time limit although the API was not silent. */
async function keysOfTimeouts(campaign: Campaign): Promise<Set<string>> {
  const lines = (await campaign.logLines()).filter((line) => line.includes('"duration_ms"'));
  const late = lines
    .map((line) => JSON.parse(line) as { idempotency_key: string; duration_ms: number })
    .filter(({ duration_ms: durationMs }) => durationMs >= TIMEOUT_MS)
    .map(({ idempotency_key: key }) => key);
  return new Set(late.filter((key) => !campaign.ledger.get(key)?.plan.steps.some((step) => step.startsWith('hang'))));
}
