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
/** Longer than any clock that is borne is off: what is early shows. */
const RETRY = { baseMs: 2500, capMs: 2500 };
const BORNE_MS = { low: 1, high: 1000 };
/** What is more by less than this is measured on a busy machine as either. */
const BEYOND_MS = { low: 1050, high: 1500 };
const MINUTE_MS = { low: 60_000, high: 60_000 };
const WRONG_AT_ONCE = 3;
/** One is ahead, and schedules; the other is behind, and fetches. */
const MOST_APART = 2;
/** The rounding of two clocks. */
const ROUNDING_MS = 2;
/** What was fetched before a clock jumped is sent by then, on a machine that is busy. */
const FETCHED_BEFORE_MS = 1000;
const MIN_WRONG_MS = 1300;
const MAX_WRONG_MS = 2500;
const MAX_SAMPLES = 5;
const SET_LIMIT_MS = 30_000;
/** What a worker says that does not start because of its clock. */
const UNFIT_CLOCK = /WaybillError: Redis at \S+: clock: its clock is [\d.]+ s (?:behind|ahead of) /;
const UNFIT_CODE = "code: 'REDIS_UNFIT'";

interface Range {
  low: number;
  high: number;
}

const broken = new WeakMap<Campaign, string[]>();

const borne: Fault = {
  name: 'clock-1s',
  title: 'a worker whose clock is off by up to 1 s, ahead or behind: borne',
  published: 50,
  batch: 50,
  slice: 0,
  options: () => ({ workers: 1, destination: { retry: RETRY }, clocksDifferMs: MOST_APART * BORNE_MS.high }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('clocks');
    const said: string[] = [];
    broken.set(campaign, said);
    const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_CLOCK });
    const wrong: ChaosWorker[] = [];
    for (let done = 0; done < amount; done += 1) {
      await load.share(done, WRITES_PER_CLOCK);
      const aheadMs = offBy(chance, BORNE_MS);
      const worker = await startWrong(campaign, aheadMs).catch(
        (error: unknown) =>
          void said.push(`a worker did not start whose clock is ${aheadMs} ms ahead: ${String(error)}`),
      );
      if (worker) wrong.push(worker);
      if (wrong.length > WRONG_AT_ONCE) await stop(wrong.shift());
    }
    await load.done;
    return amount;
  },
  extra: async (campaign) => [
    ...(broken.get(campaign) ?? []),
    ...(await earlyRetries(campaign, MOST_APART * BORNE_MS.high)),
  ],
};

const notBorne = (name: string, off: string, by: Range): Fault => ({
  name,
  title: `a worker whose clock is off by ${off}: refused at its start, held where it jumps later`,
  published: 50,
  batch: 25,
  slice: 0,
  options: () => ({ workers: 1, destination: { retry: RETRY }, clocksDifferMs: MOST_APART * by.high }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('clocks');
    const said: string[] = [];
    broken.set(campaign, said);
    const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_CLOCK });
    let jumping: ChaosWorker | undefined;
    for (let done = 0; done < amount; done += 1) {
      await load.share(done, WRITES_PER_CLOCK);
      const aheadMs = offBy(chance, by);
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
    return [
      ...(broken.get(campaign) ?? []),
      ...(sent.length > 0 ? [`a worker that should not have started logged ${sent.length} lines`] : []),
      // Whoever is that far off takes nothing: what is sent is sent by clocks that are right.
      ...(await earlyRetries(campaign, ROUNDING_MS)),
    ];
  },
});

export const clocks: readonly Fault[] = [
  borne,
  notBorne('clock-over-1s', '1.05 to 1.5 s', BEYOND_MS),
  notBorne('clock-60s', '60 s', MINUTE_MS),
];

const offBy = (chance: Chance, { low, high }: Range): number => chance.between(low, high) * chance.pick([-1, 1]);

const startWrong = (campaign: Campaign, aheadMs: number, name?: string): Promise<ChaosWorker> =>
  campaign.startWorker({
    ...PRELOADED,
    env: { CHAOS_CLOCK_AHEAD_MS: String(aheadMs), ...(name !== undefined && { CHAOS_NAME: name }) },
  });

async function stop(worker: ChaosWorker | undefined): Promise<void> {
  worker?.kill('SIGTERM');
  await worker?.exited;
}

/** It counts only where the clock is what the worker says it does not start for. */
async function refused(campaign: Campaign, aheadMs: number, name: string): Promise<string[]> {
  const before = await refusals(campaign);
  const failure = await startWrong(campaign, aheadMs, name).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (failure === undefined) return [`a worker started whose clock is ${aheadMs} ms ahead`];
  if ((await refusals(campaign)) === before)
    return [
      `a worker whose clock is ${aheadMs} ms ahead did not start, and did not say that it is the clock: ${failure}`,
    ];
  campaign.figures['refused at the start'] = Number(campaign.figures['refused at the start'] ?? 0) + 1;
  return [];
}

/** How many were refused so far for their clock. */
async function refusals(campaign: Campaign): Promise<number> {
  const lines = await campaign.logLines();
  const count = (what: (line: string) => boolean): number => lines.filter(what).length;
  return Math.min(
    count((line) => UNFIT_CLOCK.test(line)),
    count((line) => line.includes(UNFIT_CODE)),
  );
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
  worker.send({ clockAheadMs });
  await until('its clock is set', () => worker.told.clockAheadMs === clockAheadMs, SET_LIMIT_MS, 2);
}

/** By the API's clock, of writes whose sends are all in their journal. */
async function earlyRetries(campaign: Campaign, atMostMs: number): Promise<string[]> {
  const ends = await readEnds(campaign.reader, DESTINATION);
  let earliestMs = 0;
  let looks = 0;
  const said: string[] = [];
  for (const { key } of campaign.ledger.entries()) {
    const { journal } = ends.of(key);
    const sends = campaign.sandbox.entry(key)?.sends ?? [];
    // A worker that stood still while its clock jumped may have had no time left to send in.
    if (journal?.attempts.some(({ outcome }) => outcome === 'not-sent')) continue;
    journal?.attempts.forEach(({ wait }, i) => {
      const [sent, next] = [sends[i], sends[i + 1]];
      if (!wait || !sent || !next || journal.lost + journal.postponed > 0) return;
      const earlyMs = sent.at + wait.delayMs - next.at;
      looks += 1;
      earliestMs = Math.max(earliestMs, earlyMs);
      if (earlyMs > atMostMs) said.push(`${key}: send ${i + 2} was ${earlyMs} ms early`);
    });
  }
  campaign.figures['earliest retry, ms before its time'] = earliestMs;
  campaign.figures["retries looked at by the API's clock"] = looks;
  return looks === 0 ? ['no retry was looked at'] : said.slice(0, MAX_SAMPLES);
}
