// What a network does between Redis and those who use it: workers and producer speak to Redis through a proxy, and one
// exchange after the other is hit, be it an add, a fetch, a settling, the renewal of locks or the wait for news.
import { setTimeout as sleep } from 'node:timers/promises';
import { createQueue } from '../../../producer/index.ts';
import { type ExchangeProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Fault } from '../fault.ts';
import type { Load } from '../load.ts';
import { redisOf } from '../redis-server.ts';
import { until } from '../until.ts';
import { drawExchangeFault, type Mode, MODE_TITLES, MODES } from './exchange-faults.ts';

const WORKERS = 3;
/** Less than the workers can take: some wait for news at any time. */
const BACKLOG = 30;
/** Far below the default: a worker whose connection was forgotten is not to wait for 30 s. */
const FETCH_WITHIN_MS = 2000;
/** Of the exchanges that are asked for, so that it is not always the first. */
const SHARE = 0.3;
const MAX_PAUSE_MS = 60;
const MAX_REFUSAL_MS = 300;
const MAX_HOLE_MS = 2500;
/** For a worker to give a forgotten connection up, and to be at work again. */
const RECOVERY_LIMIT_MS = 60_000;
const TARGET_LIMIT_MS = 3000;
/** Each script is EVALSHA: an add, a fetch, a settling, the locks. */
const TARGETS = ['evalsha', 'evalsha', 'bzpopmin', ''] as const;

export const REDIS_PROXY_FAULTS: readonly Fault[] = MODES.map((mode) => ({
  name: `redis-${mode}`,
  title: `a network before Redis ${MODE_TITLES[mode]}`,
  published: 200,
  batch: 100,
  slice: mode === 'cut-request' ? 4 : 0,
  options: () => ({ workers: 0, repliesBreak: true }),
  inject: (campaign, amount) => inject(campaign, amount, mode),
}));

async function inject(campaign: Campaign, amount: number, mode: Mode): Promise<number> {
  const chance = campaign.chance.fork('network');
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: redisOf(campaign).port }, 'resp');
  campaign.defer(() => proxy.close());
  const redisUrl = proxy.url('redis');
  const given = campaign.config({ redisUrl });
  const config = { ...given, health: { ...given.health, fetchWithinMs: FETCH_WITHIN_MS } };
  for (let i = 0; i < WORKERS; i += 1)
    await campaign.startWorker({ redisUrl, env: { CHAOS_CONFIG: JSON.stringify(config) } });

  const direct = campaign.queue;
  const through = createQueue(DESTINATION, { connection: given.redis ?? redisUrl });
  campaign.defer(() => through.close());
  // How much is waiting is the load's own question, and no part of what is tried.
  through.getJobCounts = (...types) => direct.getJobCounts(...types);
  campaign.queue = through;
  const load = campaign.load({ backlog: BACKLOG });
  campaign.queue = direct;

  for (let done = 0; done < amount; done += 1) {
    await sleep(chance.between(0, MAX_PAUSE_MS));
    if (mode === 'refuse') await outage(proxy, load, () => proxy.refuse(), chance.between(1, MAX_REFUSAL_MS));
    else if (mode === 'black-hole' && done % 2 === 1)
      await outage(proxy, load, () => proxy.blackHole(), chance.between(1, MAX_HOLE_MS));
    else await hitOne(proxy, mode, chance);
    // A lock may run out meanwhile.
    if (['black-hole', 'cut-request', 'delay', 'drip'].includes(mode)) campaign.allLost();
  }
  proxy.plan(undefined);
  const began = performance.now();
  await until('every forgotten connection is given up', () => proxy.forgotten() === 0, RECOVERY_LIMIT_MS);
  await worksAgain(load);
  campaign.figures['at work again without help ms'] = Math.round(performance.now() - began);
  await proxy.heal();
  return amount;
}

/** All connections at once. */
async function outage(proxy: ExchangeProxy, load: Load, begin: () => unknown, forMs: number): Promise<void> {
  await begin();
  await sleep(forMs);
  await proxy.heal();
  await worksAgain(load);
}

/** More writes are taken in than would fit, had none been sent. */
async function worksAgain(load: Load): Promise<void> {
  const least = load.added + 2 * BACKLOG;
  await until('writes are added and sent', () => load.added >= least, RECOVERY_LIMIT_MS);
}

async function hitOne(proxy: ExchangeProxy, mode: Exclude<Mode, 'refuse'>, chance: Chance): Promise<void> {
  const before = proxy.hits();
  const which = chance.fork(`${before}`);
  const target = chance.pick(TARGETS);
  const fault = drawExchangeFault(mode, chance);
  const arm = (wanted: string): void =>
    proxy.plan((request) => {
      if (!request.includes(wanted) || which.next() >= SHARE) return undefined;
      proxy.plan(undefined);
      return fault;
    });
  const isHit = (): boolean => proxy.hits() > before;
  arm(target);
  // What was asked may have been given up before it was answered; then anything is hit.
  await until(`${target} is hit`, isHit, TARGET_LIMIT_MS, 5).catch(async () => {
    arm('');
    await until('an exchange is hit', isHit, RECOVERY_LIMIT_MS, 5);
  });
}
