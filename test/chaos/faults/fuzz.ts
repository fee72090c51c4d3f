// Hostile input and a hostile API. Three kinds of it in one campaign: odd writes for the sandbox, which is healthy and whose
// word the judge takes; writes for an API that answers by attacks; garbage that a plain BullMQ producer puts into that
// second queue. After every 1,000, with the last of them still waiting and under way, a canary has to be delivered within
// a second: every one.
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { ConfigInput } from '../../../core/config.ts';
import { createQueue, type WriteQueue } from '../../../producer/index.ts';
import { prefixOf } from '../../../queue/keys.ts';
import type { Campaign, ChaosWorker } from '../campaign.ts';
import type { Fault } from '../fault.ts';
import { type Added, addSlice, type Hostile } from '../fuzz/adding.ts';
import { startCanaries } from '../fuzz/canary.ts';
import { brokenIn } from '../fuzz/ends.ts';
import { type HostileApi, startHostileApi } from '../fuzz/hostile-api.ts';
import { redisOf } from '../redis-server.ts';
import { until } from '../until.ts';

const HOSTILE = 'hostile';
const SLICE = 50;
const CANARY_EVERY = 1000;
/** Enough that the workers always have all they may take at once: more is load, and this is about harm. */
const MAX_BACKLOG = 100;
const BACKLOG_LIMIT_MS = 120_000;
const DRAIN_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 10_000;
const WORKERS = 3;
const MAX_SAMPLES = 10;
const INTRINSICS = Object.getOwnPropertyNames(Object.prototype).toSorted().join();

const states = new WeakMap<Campaign, { added: Added; api: HostileApi }>();

export const fuzz: Fault = {
  name: 'fuzz',
  title:
    'hostile input: keys, headers, paths, bodies, options, raw jobs, answers of the API; after every 1,000 a canary write, each delivered within 1 s',
  published: 100_000,
  batch: 20_000,
  slice: 0,
  // Its own workers know both destinations. Nobody dies here, and a busy machine shall not look as if somebody did.
  options: () => ({ workers: 0, worker: { lockMs: 10_000, stalledIntervalMs: 2000 } }),
  inject: async (campaign, amount) => {
    const api = await startHostileApi();
    campaign.defer(() => api.close());
    const added: Added = { broken: [], paths: new Map(), victims: new Map(), rawIds: new Set(), counts: {} };
    states.set(campaign, { added, api });
    const hostile = openHostile(campaign);
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(campaign, api.url)));
    const canaries = startCanaries(campaign);

    const began = performance.now();
    const random = campaign.chance.fork('inputs');
    for (let done = 0; done < amount; done += SLICE) {
      await addSlice(campaign, added, hostile, random, done, Math.min(SLICE, amount - done));
      if ((done + SLICE) % CANARY_EVERY === 0 || done + SLICE >= amount) await canaries.send();
      await until(
        'the hostile backlog shrinks',
        async () => (await count(hostile.queue, 'wait', 'prioritized')) < MAX_BACKLOG,
        BACKLOG_LIMIT_MS,
        5,
      );
    }
    const addedS = (performance.now() - began) / 1000;
    const isDrained = async (): Promise<boolean> =>
      (await count(hostile.queue, 'wait', 'active', 'delayed', 'prioritized')) === 0;
    await until('all hostile writes have ended', isDrained, DRAIN_LIMIT_MS, 50).catch(async () => {
      const left = await hostile.queue.getRanges(['wait', 'active', 'delayed', 'prioritized'], 0, MAX_SAMPLES);
      added.broken.push(
        `the hostile destination is not drained, left are ${left.map((id) => JSON.stringify(id)).join(', ')}`,
      );
    });
    await canaries.send();
    added.broken.push(
      ...canaries.late,
      ...(await Promise.all(workers.map(worsened))).flat(),
      ...(ownIntrinsics() === INTRINSICS ? [] : ["the producer's Object.prototype was changed"]),
      ...api.odd.map((line) => `the API has read a request that nobody sent: ${JSON.stringify(line)}`),
    );
    Object.assign(campaign.figures, {
      'inputs a second': Math.round(amount / addedS),
      ...canaries.figures,
      ...added.counts,
      'requests at the hostile API': api.requests,
    });
    return amount;
  },
  extra: async (campaign) => {
    const state = states.get(campaign);
    if (!state) return ['nothing was injected'];
    const broken = [...state.added.broken, ...(await brokenIn(campaign, HOSTILE, state.added, state.api.credentials))];
    return [
      ...broken.slice(0, MAX_SAMPLES),
      ...(broken.length > MAX_SAMPLES ? [`and ${broken.length - MAX_SAMPLES} more`] : []),
    ];
  },
};

function openHostile(campaign: Campaign): Hostile {
  const queue = createQueue(HOSTILE, { connection: campaign.redisSettings });
  const client = new Redis(redisOf(campaign).url);
  const plain = new Queue(HOSTILE, { connection: client, prefix: prefixOf(HOSTILE) });
  campaign.defer(async () => {
    await plain.close();
    client.disconnect();
    await queue.close();
  });
  return { queue, plain, client };
}

async function startWorker(campaign: Campaign, hostileUrl: string): Promise<ChaosWorker> {
  const config = campaign.config();
  const both: ConfigInput = {
    ...config,
    destinations: {
      ...config.destinations,
      [HOSTILE]: {
        baseUrl: hostileUrl,
        auth: { header: 'x-api-key', env: 'CHAOS_API_KEY' },
        timeoutMs: 250,
        concurrency: 40,
        retry: { maxAttempts: 2, baseMs: 2, capMs: 4, retryAfterCapMs: 20 },
      },
    },
  };
  return campaign.startWorker({
    env: { CHAOS_CONFIG: JSON.stringify(both) },
    execArgv: ['--import', new URL('../fuzz/watch-intrinsics.ts', import.meta.url).href],
  });
}

const ownIntrinsics = (): string => Object.getOwnPropertyNames(Object.prototype).toSorted().join();

async function worsened(worker: ChaosWorker): Promise<string[]> {
  if (!worker.alive) return ['a worker has ended'];
  return (await intrinsicsOf(worker)) === INTRINSICS ? [] : ["a worker's Object.prototype was changed"];
}

async function intrinsicsOf(worker: ChaosWorker): Promise<string> {
  const told = new Promise<string>((resolve) =>
    worker.onMessage((message) => {
      if (typeof message === 'object' && message && 'intrinsics' in message) resolve(String(message.intrinsics));
    }),
  );
  worker.send({ ask: 'intrinsics' });
  return Promise.race([told, sleep(ANSWER_LIMIT_MS, 'silent', { ref: false })]);
}

const count = async (queue: WriteQueue, ...of: Parameters<WriteQueue['getJobCounts']>): Promise<number> =>
  Object.values(await queue.getJobCounts(...of)).reduce((sum, one) => sum + one, 0);
