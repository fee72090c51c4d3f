// Workers whose clock is wrong. Up to a second off is borne: a retry may be early by what two clocks are off, and no more.
// Further off a worker does not start; one whose clock jumps while it runs takes nothing until it is right again.
// Journals are written by the workers' clocks; so how early a retry was is told by that of the API.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Campaign, ChaosWorker } from '../campaign.ts';
import { DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';

const PRELOADED = { execArgv: ['--import', new URL('../wrong-clock.ts', import.meta.url).href] };
const BACKLOG = 100;
const WRITES_PER_CLOCK = 40;
const GOES_ON_LIMIT_MS = 120_000;
/** Longer than any clock that is borne is off: what is early shows. */
const RETRY = { baseMs: 2500, capMs: 2500 };
const BORNE_MS = { low: 500, high: 900 };
const WRONG_AT_ONCE = 3;
const MINUTE_MS = 60_000;
const MAX_EARLY_MS = 2 * 1000;
/** What was fetched before a clock jumped is sent by then, on a machine that is busy. */
const FETCHED_BEFORE_MS = 1000;
const MIN_WRONG_MS = 1300;
const MAX_WRONG_MS = 2500;

const broken = new WeakMap<Campaign, string[]>();

export const clocks: readonly Fault[] = [
  {
    name: 'clock-1s',
    title: 'a worker whose clock is off by up to 1 s, ahead or behind: borne',
    published: 50,
    batch: 50,
    slice: 0,
    options: () => ({ workers: 1, destination: { retry: RETRY }, clocksDifferMs: MAX_EARLY_MS }),
    inject: async (campaign, amount) => {
      const chance = campaign.chance.fork('clocks');
      const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_CLOCK });
      const wrong: ChaosWorker[] = [];
      for (let done = 0; done < amount; done += 1) {
        load.allowed = (done + 1) * WRITES_PER_CLOCK;
        wrong.push(await startWrong(campaign, offBy(chance, chance.between(BORNE_MS.low, BORNE_MS.high))));
        if (wrong.length > WRONG_AT_ONCE) await stop(wrong.shift());
        await until('its share is on its way', () => load.added > done * WRITES_PER_CLOCK, GOES_ON_LIMIT_MS, 5);
      }
      await load.done;
      return amount;
    },
    extra: (campaign) => earlyRetries(campaign, MAX_EARLY_MS),
  },
  {
    name: 'clock-60s',
    title: 'a worker whose clock is off by 60 s: refused at its start, held where it jumps later',
    published: 50,
    batch: 25,
    slice: 0,
    options: () => ({ workers: 1, destination: { retry: RETRY }, clocksDifferMs: 2 * MINUTE_MS }),
    inject: async (campaign, amount) => {
      const chance = campaign.chance.fork('clocks');
      const said: string[] = [];
      broken.set(campaign, said);
      const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_CLOCK });
      let jumping: ChaosWorker | undefined;
      for (let done = 0; done < amount; done += 1) {
        load.allowed = (done + 1) * WRITES_PER_CLOCK;
        await until('its share is on its way', () => load.added > done * WRITES_PER_CLOCK, GOES_ON_LIMIT_MS, 5);
        const aheadMs = offBy(chance, MINUTE_MS);
        if (done % 2 === 0) said.push(...(await refused(campaign, aheadMs, `refused-${done}`)));
        else {
          if (!jumping?.alive) jumping = await startWrong(campaign, 0);
          said.push(...(await jump(campaign, jumping, aheadMs, chance)));
        }
      }
      await load.done;
      return amount;
    },
    extra: async (campaign) => {
      const lines = await campaign.logLines();
      const sent = lines.filter((line) => line.includes('"worker":"refused-'));
      const unfit = lines.filter((line) => line.includes('REDIS_UNFIT')).length;
      return [
        ...(broken.get(campaign) ?? []),
        ...(sent.length > 0 ? [`a worker that should not have started logged ${sent.length} lines`] : []),
        ...(unfit === 0 ? ['nobody said REDIS_UNFIT'] : []),
        ...(await earlyRetries(campaign, BORNE_MS.high)),
      ];
    },
  },
];

const offBy = (chance: Chance, byMs: number): number => (chance.next() < 0.5 ? -byMs : byMs);

const startWrong = (campaign: Campaign, aheadMs: number, name?: string): Promise<ChaosWorker> =>
  campaign.startWorker({
    ...PRELOADED,
    env: { CHAOS_CLOCK_AHEAD_MS: String(aheadMs), ...(name !== undefined && { CHAOS_NAME: name }) },
  });

async function stop(worker: ChaosWorker | undefined): Promise<void> {
  worker?.kill('SIGTERM');
  await worker?.exited;
}

async function refused(campaign: Campaign, aheadMs: number, name: string): Promise<string[]> {
  try {
    await startWrong(campaign, aheadMs, name);
  } catch {
    campaign.figures['refused at the start'] = Number(campaign.figures['refused at the start'] ?? 0) + 1;
    return [];
  }
  return [`a worker started whose clock is ${aheadMs} ms ahead`];
}

/** While writes wait and are due: it may send what it had fetched before, and nothing more. */
async function jump(campaign: Campaign, worker: ChaosWorker, aheadMs: number, chance: Chance): Promise<string[]> {
  const sends = (): number =>
    [...campaign.ledger.entries()].reduce(
      (sum, { key }) =>
        sum + (campaign.sandbox.entry(key)?.sends.filter(({ client }) => client === worker.slot).length ?? 0),
      0,
    );
  // Locks are renewed by this clock too.
  campaign.lost(worker.slot);
  await setClock(worker, aheadMs);
  await sleep(FETCHED_BEFORE_MS);
  const before = sends();
  await sleep(chance.between(MIN_WRONG_MS, MAX_WRONG_MS) - FETCHED_BEFORE_MS);
  const more = sends() - before;
  campaign.figures['jumps'] = Number(campaign.figures['jumps'] ?? 0) + 1;
  // As many a machine is restarted over it.
  if (chance.next() < 0.3) await campaign.killWorker(worker, false);
  else await setClock(worker, 0);
  return more === 0 ? [] : [`a worker sent ${more} writes while its clock was ${aheadMs} ms ahead`];
}

async function setClock(worker: ChaosWorker, clockAheadMs: number): Promise<void> {
  const set = new Promise<void>((resolve) => {
    worker.onMessage((message) => {
      if ((message as { clockAheadMs?: number }).clockAheadMs === clockAheadMs) resolve();
    });
  });
  worker.send({ clockAheadMs });
  await set;
}

/** By the API's clock, of writes whose sends are all in their journal. */
async function earlyRetries(campaign: Campaign, atMostMs: number): Promise<string[]> {
  const ends = await readEnds(campaign.reader, DESTINATION);
  let earliestMs = 0;
  const said: string[] = [];
  for (const { key } of campaign.ledger.entries()) {
    const { journal } = ends.of(key);
    const sends = campaign.sandbox.entry(key)?.sends ?? [];
    journal?.attempts.forEach(({ wait }, i) => {
      const [sent, next] = [sends[i], sends[i + 1]];
      if (!wait || !sent || !next || journal.lost + journal.postponed > 0) return;
      const earlyMs = sent.at + wait.delayMs - next.at;
      earliestMs = Math.max(earliestMs, earlyMs);
      if (earlyMs > atMostMs) said.push(`${key}: send ${i + 2} was ${earlyMs} ms early`);
    });
  }
  campaign.figures['earliest retry, ms before its time'] = earliestMs;
  return said.slice(0, 5);
}
