// What a network does between the workers and the API: writes go out through a proxy, and a share of the exchanges is hit.
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { Campaign } from '../campaign.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';
import { drawExchangeFault, MAX_DELAY_MS, type Mode, MODE_TITLES, MODES } from './exchange-faults.ts';

const WORKERS = 3;
const BACKLOG = 100;
const SHARE = 0.05;
const MAX_PAUSE_MS = 300;
const MAX_REFUSAL_MS = 250;
/** Past the deadline of an attempt. */
const MAX_HOLE_MS = 1500;
const LIMIT_MS = 300_000;

export const API_PROXY_FAULTS: readonly Fault[] = MODES.map((mode) => ({
  name: `api-${mode}`,
  title: `a network before the API ${MODE_TITLES[mode]}`,
  published: 200,
  batch: mode === 'refuse' || mode === 'black-hole' ? 100 : 200,
  slice: mode === 'truncate' || mode === 'cut-request' ? 5 : 0,
  // A fault takes attempts that no plan knows of: more of them, so that every write still comes to the end of its plan.
  options: () => ({
    workers: 0,
    answersBreak: true,
    // Nobody dies here: a lock of a second, lost to a busy machine, would look as if somebody did.
    worker: { lockMs: 10_000 },
    destination: { retry: { baseMs: 20, capMs: 160, maxAttempts: 40 } },
  }),
  inject: (campaign, amount) => inject(campaign, amount, mode),
}));

async function inject(campaign: Campaign, amount: number, mode: Mode): Promise<number> {
  const chance = campaign.chance.fork('network');
  const { hostname, port } = new URL(campaign.sandbox.url);
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) }, 'http');
  campaign.defer(() => proxy.close());
  for (let i = 0; i < WORKERS; i += 1) await campaign.startWorker({ baseUrl: proxy.url('http') });
  const load = campaign.load({ backlog: BACKLOG });

  let outages = 0;
  const done = (): number => outages + proxy.hits();
  const outage = async (begin: () => unknown, maxMs: number): Promise<void> => {
    await sleep(chance.between(1, MAX_PAUSE_MS));
    const { added } = load;
    await until('writes go out', () => load.added > added, LIMIT_MS);
    await begin();
    await sleep(chance.between(1, maxMs));
    await proxy.heal();
    outages += 1;
  };
  const which = chance.fork('which');
  const hitSome = (kind: Exclude<Mode, 'refuse'>, share: number): void =>
    proxy.plan(() => (done() < amount && which.next() < share ? drawExchangeFault(kind, which) : undefined));

  if (mode === 'refuse') {
    while (done() < amount) await outage(() => proxy.refuse(), MAX_REFUSAL_MS);
  } else if (mode === 'black-hole') {
    // Some for all, some for one.
    while (done() < amount) {
      hitSome(mode, SHARE / 10);
      await outage(() => proxy.blackHole(), MAX_HOLE_MS);
    }
  } else {
    hitSome(mode, SHARE);
    await until('so many exchanges are hit', () => done() >= amount, LIMIT_MS);
  }
  await proxy.heal();
  // What was held comes to the API late, perhaps after its write has ended: the oracle is to see that too.
  if (mode === 'delay') await sleep(MAX_DELAY_MS);
  return done();
}
