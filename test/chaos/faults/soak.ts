// Soak: one fault every 10 s, whichever chance picks, under a steady load, for as long as it is asked for. What lives through
// all of it must not grow: a worker that nobody kills, a producer and a dashboard are weighed every 10 s, in the middle
// between two faults, and Redis, which is restarted on the way.
//
// Redis keeps a tombstone or a dead letter of every write, by which the judge reads how it ended, and so it has to grow, by
// what a write leaves. That is what is judged there: bytes a write, which must not become more.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProxy } from '../../support/proxy.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Child } from '../child.ts';
import type { Fault } from '../fault.ts';
import { uuid } from '../load.ts';
import { drawPlan } from '../plans.ts';
import { redisOf } from '../redis-server.ts';
import { type Bounds, figuresOf, grownOf, warm } from '../soak/flat.ts';
import { HARM } from '../soak/harm.ts';
import { addressOf, visit } from '../soak/visitor.ts';
import { scaleOf, type Series, weighFromOutside, type Weights } from '../soak/weighing.ts';
import { medianSlope } from '../statistics.ts';
import { until } from '../until.ts';

const FAULT_EVERY_MS = 10_000;
const WORKERS = 4;
/** Steady, and far below what it could be: this is about time, not load. */
const WRITES_A_SECOND = 20;
const FEED_EVERY_MS = 200;
const MAX_BACKLOG = 400;
/** A line for every sixth weighing. */
const TOLD_EVERY = 6;
const ACKNOWLEDGED_LIMIT_MS = 60_000;
/** A shorter one is a warm-up: it is printed and not judged. */
const LEAST_MS = 1_800_000;
/**
 * By how much each may rise in an hour. The worker makes some 32,000 sends in it, the producer 72,000 adds, the dashboard
 * 7,000 answers: a leak of no more than the key of each (a string of 36 characters takes 56 bytes) would be 1.7, 3.8
 * and 0.4 MB. Resident memory also has what the allocator keeps: a leak of 1 kB for each send would be 32 MB. Each kind
 * of fault comes some 60 times: a descriptor left behind by every fourth is seen.
 */
const BOUNDS: Readonly<Record<string, Bounds>> = {
  worker: { heapMb: 1.7, rssMb: 32, descriptors: 15 },
  producer: { heapMb: 3.8, rssMb: 32, descriptors: 15 },
  dashboard: { heapMb: 3.8, rssMb: 32, descriptors: 15 },
};
/** What a write leaves: a tombstone or a dead letter with its journal, and its lines in the indexes. */
const REDIS_BYTES_A_WRITE = 3000;
const PRODUCER = fileURLToPath(new URL('../soak/producer-child.ts', import.meta.url));
const DASHBOARD = fileURLToPath(new URL('../soak/dashboard-child.ts', import.meta.url));
const WATCHED = ['--expose-gc', '--import', new URL('../soak/tell-weight.ts', import.meta.url).href];

const found = new WeakMap<Campaign, string[]>();

export const soak: Fault = {
  name: 'soak',
  title: 'soak: an hour in one piece, one fault every 10 s, memory and descriptors flat',
  published: 360,
  batch: 360,
  slice: 0,
  // Its own workers go through proxies. Its attempts have to outlast an outage of the API that falls into a plan of
  // failures. The append-only file is rewritten as it grows, for an hour of commands would have to be loaded at every
  // restart, and not compressed, for the search for secrets.
  options: () => ({
    workers: 0,
    answersBreak: true,
    repliesBreak: true,
    destination: { retry: { maxAttempts: 8, baseMs: 400, capMs: 4000 } },
    redisArgs: ['--auto-aof-rewrite-percentage', '100', '--rdbcompression', 'no'],
  }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('harm');
    const redisProxy = await startProxy({ host: '127.0.0.1', port: redisOf(campaign).port });
    const apiProxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(campaign.sandbox.url).port) });
    campaign.defer(() => Promise.all([redisProxy.close(), apiProxy.close()]));
    const redisUrl = redisProxy.url('redis');
    const workerOptions = { redisUrl, baseUrl: apiProxy.url('http') };
    const kept = await campaign.startWorker({ ...workerOptions, execArgv: WATCHED });
    for (let i = 1; i < WORKERS; i += 1) await campaign.startWorker(workerOptions);
    const producer = await campaign.startProcess(PRODUCER, {
      CHAOS_REDIS: redisUrl,
      CHAOS_DESTINATION: DESTINATION,
      NODE_OPTIONS: WATCHED.join(' '),
    });
    const dashboard = await campaign.startProcess(DASHBOARD, {
      CHAOS_CONFIG: JSON.stringify({ ...campaign.config({ redisUrl }), dashboard: { port: 0 } }),
      NODE_OPTIONS: WATCHED.join(' '),
    });
    const url = await addressOf(dashboard);
    const scene = { campaign, chance, kept, redisProxy, apiProxy, workerOptions };
    const over = new AbortController();
    const fed = feed(campaign, producer, over.signal);
    const visited = visit(url, over.signal);
    const weighed = weigh(campaign, { worker: kept, producer, dashboard }, over.signal);
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
      await Promise.all([fed, weighed, visited]);
    }
    const { answered, refused } = await visited;
    Object.assign(campaign.figures, { 'dashboard, answers': answered, 'dashboard, refused': refused });
    judge(campaign, await weighed, amount * FAULT_EVERY_MS >= LEAST_MS);
    if (answered === 0) found.get(campaign)?.push('the dashboard has answered nothing');
    for (const [name, child] of Object.entries({ worker: kept, producer, dashboard }))
      if (!child.alive) found.get(campaign)?.push(`the ${name} has ended`);
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

interface Weighed {
  readonly processes: Readonly<Record<string, Weights>>;
  readonly redis: Weights;
  /** Bytes in use by the count of the writes that have ended and are kept. */
  readonly kept: readonly (readonly [writes: number, bytes: number])[];
}

/** Every 10 s until it is over. */
async function weigh(campaign: Campaign, children: Record<string, Child>, over: AbortSignal): Promise<Weighed> {
  const scales = Object.entries(children).map(([name, child]) => [name, scaleOf(child)] as const);
  const redis: Weights = { rssMb: [], descriptors: [], heapMb: [], loopMs: [] };
  const kept: [number, number][] = [];
  const began = performance.now() + FAULT_EVERY_MS / 2;
  for (let round = 0; !over.aborted; round += 1) {
    const pause = Math.max(0, began + round * FAULT_EVERY_MS - performance.now());
    await sleep(pause, undefined, { signal: over }).catch(() => {});
    await Promise.all(scales.map(([, scale]) => scale.weigh()));
    await weighFromOutside(redisOf(campaign).pid, redis);
    const info = await campaign.reader.client.info('memory').catch(() => '');
    const bytes = Number(/used_memory:(\d+)/.exec(info)?.[1]);
    const counts = await campaign.reader
      .queue(DESTINATION)
      .getJobCounts('completed', 'failed')
      .catch(() => undefined);
    if (bytes && counts) kept.push([(counts.completed ?? 0) + (counts.failed ?? 0), bytes]);
    if (round % TOLD_EVERY === 0) tell(round, [...scales, ['Redis', redis]]);
  }
  return { processes: Object.fromEntries(scales), redis, kept };
}

/** For whoever waits for the end of it. */
function tell(round: number, weights: readonly (readonly [string, Weights])[]): void {
  const last = (series: Series): number => Math.round(series.at(-1)?.[1] ?? 0);
  const said = weights.map(
    ([name, { heapMb, rssMb, descriptors }]) => `${name} ${last(heapMb)} ${last(rssMb)} ${last(descriptors)}`,
  );
  process.stderr.write(
    `after ${(round * FAULT_EVERY_MS) / 1000} s, heap MB, RSS MB and descriptors: ${said.join(', ')}\n`,
  );
}

function judge(campaign: Campaign, { processes, redis, kept }: Weighed, isLong: boolean): void {
  const grown = Object.entries(BOUNDS).flatMap(([name, bounds]) => {
    const weights = processes[name];
    if (!weights) return [`${name} was not weighed`];
    Object.assign(campaign.figures, figuresOf(name, weights));
    return grownOf(name, weights, bounds);
  });
  Object.assign(campaign.figures, figuresOf('Redis', redis));
  const aWrite = Math.round(medianSlope(warm(kept)));
  campaign.figures['Redis, bytes a write'] = aWrite;
  if (aWrite > REDIS_BYTES_A_WRITE)
    grown.push(`Redis: grows by ${aWrite} bytes a write, and ${REDIS_BYTES_A_WRITE} is the most`);
  found.set(campaign, isLong ? grown : []);
}
