// Soak: one fault every 10 s, whichever chance picks, under a steady load, for as long as it is asked for. What lives through
// all of it must not grow: a worker that nobody kills and a producer are weighed every second.
//
// Redis keeps a tombstone of every write, by which the judge reads how it ended, and so it has to grow, by what a write
// leaves. That is what is measured there: bytes a write, in the first half and in the second.
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPrivateRedis } from '../../../dev/redis/start.ts';
import { type FaultProxy, startProxy } from '../../support/proxy.ts';
import { type Campaign, type ChaosWorker, DESTINATION, type WorkerOptions } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Child } from '../child.ts';
import type { Fault } from '../fault.ts';
import { uuid } from '../load.ts';
import { drawPlan } from '../plans.ts';
import { startScale, type Series, trendOf } from '../soak/weighing.ts';
import { slope } from '../statistics.ts';
import { until } from '../until.ts';

const FAULT_EVERY_MS = 10_000;
const WORKERS = 4;
/** Steady, and far below what it could be: this is about time, not load. */
const WRITES_A_SECOND = 20;
const FEED_EVERY_MS = 200;
const MAX_BACKLOG = 400;
const WEIGH_EVERY_MS = 1000;
/** Of collections, which cost. */
const HEAP_EVERY = 5;
const ACKNOWLEDGED_LIMIT_MS = 60_000;
const OUTAGE_MS = 1000;
/** Programs fill their caches first: a third of it, at most so long. */
const MAX_WARM_UP_MS = 120_000;
/** A shorter one says nothing of an hour. */
const LEAST_MS = 240_000;
/** What is flat: no line above this that also explains the values, and has really risen. */
const BOUNDS = {
  'memory MB': { perHour: 60, fit: 0.7, rise: 8 },
  'heap MB': { perHour: 10, fit: 0.5, rise: 1 },
  descriptors: { perHour: 60, fit: 0.5, rise: 5 },
} as const;
const REDIS_GROWTH = 2;
const PRODUCER = fileURLToPath(new URL('../soak/producer-child.ts', import.meta.url));
const WATCHED = ['--expose-gc', '--import', new URL('../soak/watch-heap.ts', import.meta.url).href];

interface Scene {
  campaign: Campaign;
  chance: Chance;
  kept: ChaosWorker;
  redisProxy: FaultProxy;
  apiProxy: FaultProxy;
  workerOptions: WorkerOptions;
}

/** Each has ended its harm when it resolves. */
const HARM: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'worker killed': async ({ campaign, chance, kept, workerOptions }) => {
    await campaign.killWorker(chance.pick([...campaign.workers].filter((worker) => worker !== kept)), false);
    await campaign.startWorker(workerOptions);
  },
  'worker stopped': async ({ campaign, chance }) => {
    const worker = chance.pick([...campaign.workers]);
    campaign.losses += 1;
    worker.kill('SIGSTOP');
    await sleep(chance.between(1000, 2000));
    worker.kill('SIGCONT');
  },
  'Redis restarted': async ({ campaign }) => {
    if (!campaign.redis) return;
    const { port } = campaign.redis;
    // Its pause may be longer than a lock.
    campaign.losses += 1;
    await campaign.redis.stop();
    campaign.redis = await startPrivateRedis({
      dir: join(campaign.folder, 'redis'),
      port,
      args: ['--auto-aof-rewrite-percentage', '0'],
    });
  },
  'connections reset': ({ redisProxy }) => Promise.resolve(redisProxy.killSockets()),
  'scripts flushed': ({ campaign }) => campaign.reader.client.script('FLUSH'),
  'API away': async ({ apiProxy }) => {
    await apiProxy.refuse();
    await sleep(OUTAGE_MS);
    await apiProxy.restore();
  },
};

const found = new WeakMap<Campaign, string[]>();

export const soak: Fault = {
  name: 'soak',
  title: 'soak: an hour, one fault every 10 s, memory and descriptors flat',
  published: 360,
  batch: 50,
  slice: 0,
  // Its own workers go through proxies. Its attempts have to outlast an outage of the API that falls into a plan of failures.
  options: () => ({ workers: 0, destination: { retry: { maxAttempts: 8, baseMs: 400, capMs: 4000 } } }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('harm');
    const redisProxy = await startProxy({ host: '127.0.0.1', port: campaign.redis?.port ?? 0 });
    const apiProxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(campaign.sandbox.url).port) });
    campaign.defer(() => Promise.all([redisProxy.close(), apiProxy.close()]));
    const workerOptions = { redisUrl: redisProxy.url('redis'), baseUrl: apiProxy.url('http') };
    const kept = await campaign.startWorker({ ...workerOptions, execArgv: WATCHED });
    for (let i = 1; i < WORKERS; i += 1) await campaign.startWorker(workerOptions);
    const producer = await campaign.startProcess(PRODUCER, {
      CHAOS_REDIS: redisProxy.url('redis'),
      CHAOS_DESTINATION: DESTINATION,
      NODE_OPTIONS: WATCHED.join(' '),
    });
    const scene = { campaign, chance, kept, redisProxy, apiProxy, workerOptions };
    const over = new AbortController();
    const fed = feed(campaign, producer, over.signal);
    const weighed = weigh(campaign, { worker: kept, producer }, amount * FAULT_EVERY_MS, over.signal);
    let done = 0;
    try {
      for (const began = performance.now(); done < amount; done += 1) {
        await sleep(Math.max(0, began + done * FAULT_EVERY_MS - performance.now()));
        const what = chance.pick(Object.keys(HARM));
        await HARM[what]?.(scene);
        campaign.figures[what] = Number(campaign.figures[what] ?? 0) + 1;
      }
      await sleep(FAULT_EVERY_MS);
    } finally {
      over.abort();
      await Promise.all([fed, weighed]);
    }
    const missing = (): number => [...campaign.ledger.entries()].filter(({ acknowledged }) => !acknowledged).length;
    await until('every write is acknowledged', () => missing() === 0, ACKNOWLEDGED_LIMIT_MS);
    return done;
  },
  extra: (campaign) => Promise.resolve(found.get(campaign) ?? ['nothing was weighed']),
};

/** Writes at a steady pace, fewer while they pile up. */
async function feed(campaign: Campaign, producer: Child, over: AbortSignal): Promise<void> {
  const chance = campaign.chance.fork('feed');
  let open = 0;
  producer.onMessage((message) => {
    if (typeof message !== 'object' || !message || !('stored' in message)) return;
    const { stored } = message as { stored: string[] };
    for (const key of stored) campaign.ledger.acknowledge(key);
    open -= stored.length;
  });
  while (!over.aborted) {
    const count = open < MAX_BACKLOG ? (WRITES_A_SECOND * FEED_EVERY_MS) / 1000 : 0;
    const errands = Array.from({ length: count }, () => ({ key: uuid(chance), plan: drawPlan(chance) }));
    for (const { key, plan } of errands) campaign.ledger.intend(key, plan);
    open += count;
    if (count > 0) producer.send(errands);
    await sleep(FEED_EVERY_MS);
  }
}

/** Until it is over; then the figures, and what has grown. */
async function weigh(
  campaign: Campaign,
  children: Record<string, Child>,
  durationMs: number,
  over: AbortSignal,
): Promise<void> {
  const scales = Object.entries(children).map(([name, child]) => ({ name, scale: startScale(child) }));
  /** Bytes in use by the count of the writes that are kept. */
  const redis: [number, number][] = [];
  const clients: Series = [];
  const began = performance.now();
  for (let round = 0; !over.aborted; round += 1) {
    for (const { scale } of scales) await scale.weigh(round % HEAP_EVERY === 0).catch(() => {});
    const info = await campaign.reader.client.info().catch(() => '');
    const bytes = Number(/used_memory:(\d+)/.exec(info)?.[1]);
    const kept = await campaign.reader
      .queue(DESTINATION)
      .getJobCounts('completed', 'failed')
      .catch(() => undefined);
    if (bytes && kept) redis.push([(kept.completed ?? 0) + (kept.failed ?? 0), bytes]);
    const count = Number(/connected_clients:(\d+)/.exec(info)?.[1]);
    if (count) clients.push([performance.now(), count]);
    await sleep(WEIGH_EVERY_MS);
  }

  const fromMs = began + Math.min(MAX_WARM_UP_MS, durationMs / 3);
  const grown: string[] = [];
  const report = (who: string, what: keyof typeof BOUNDS, series: Series): void => {
    const { perHour, fit, rise } = trendOf(series, fromMs);
    const most = BOUNDS[what];
    campaign.figures[`${who}, ${what} an hour`] =
      `${perHour.toFixed(1)} (fit ${fit.toFixed(2)}, rose ${rise.toFixed(1)} to ${(series.at(-1)?.[1] ?? 0).toFixed(1)})`;
    if (durationMs >= LEAST_MS && perHour > most.perHour && fit > most.fit && rise > most.rise)
      grown.push(`${who}: ${what} grow by ${perHour.toFixed(1)} an hour`);
  };
  for (const { name, scale } of scales) {
    report(name, 'memory MB', scale.rss);
    report(name, 'heap MB', scale.heap);
    report(name, 'descriptors', scale.descriptors);
  }
  report('Redis', 'descriptors', clients);
  const half = Math.floor(redis.length / 2);
  const [first, second] = [slope(redis.slice(0, half)), slope(redis.slice(half))];
  campaign.figures['Redis, bytes a write, first and second half'] = `${Math.round(first)}, ${Math.round(second)}`;
  if (durationMs >= LEAST_MS && second > REDIS_GROWTH * first)
    grown.push(`Redis: ${Math.round(first)} bytes a write, later ${Math.round(second)}`);
  found.set(campaign, grown);
}
