// SIGSTOP of a worker with writes in flight, for 1 to 3 lock times, as a machine that swaps or a suspended virtual one does
// it. Others take its writes over; once it goes on, its sockets hold answers and it believes the writes to be its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, type ChaosWorker, LOCK_MS } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Fault } from '../fault.ts';
import { sendsOf } from '../oracle.ts';
import { until } from '../until.ts';

const WRITES_PER_FREEZE = 50;
const WORKERS = 8;
/** The others carry on. */
const FROZEN_AT_ONCE = 4;

export const freezeWorker: Fault = {
  name: 'freeze-worker',
  title: 'SIGSTOP of a worker with writes in flight, for 1 to 3 lock times',
  published: 300,
  batch: 100,
  slice: 0,
  // The API takes its time, so that writes are in flight whenever a worker is stopped.
  options: () => ({ workers: WORKERS, sandbox: { latencyMs: 80 } }),
  inject: async (campaign, amount) => {
    const load = campaign.load({ backlog: 200, total: amount * WRITES_PER_FREEZE });
    const frozen = new Set<ChaosWorker>();
    let begun = 0;
    const freezeOnAndOn = async (chance: Chance): Promise<void> => {
      while (begun < amount) {
        begun += 1;
        await load.share(begun - 1, WRITES_PER_FREEZE, FROZEN_AT_ONCE - 1);
        await sleep(chance.between(0, 40));
        await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 30_000, 2).catch(
          () => {},
        );
        const worker = chance.pick([...campaign.workers].filter((one) => !frozen.has(one)));
        frozen.add(worker);
        campaign.lost(worker.slot);
        worker.kill('SIGSTOP');
        await sleep(chance.between(LOCK_MS, 3 * LOCK_MS));
        worker.kill('SIGCONT');
        frozen.delete(worker);
      }
    };
    await Promise.all(
      Array.from({ length: FROZEN_AT_ONCE }, (_, i) => freezeOnAndOn(campaign.chance.fork(`freezer ${i}`))),
    );
    await load.done;
    return begun;
  },
  extra: async (campaign) => {
    campaign.figures['sent by two workers or more'] = sentByMany(campaign);
    const refused = await refusedSettles(campaign);
    campaign.figures['refused, as logged'] = refused;
    return refused === 0 && campaign.losses.length >= LEAST_FOR_REFUSALS
      ? ['no frozen worker brought anything that was refused']
      : [];
  },
};

/** Fewer may, by chance, hit workers that held nothing. */
const LEAST_FOR_REFUSALS = 10;

const sentByMany = (campaign: Campaign): number =>
  [...campaign.ledger.entries()].filter(
    ({ key }) => new Set(sendsOf(campaign, key).map(({ client }) => client)).size > 1,
  ).length;

/** What Redis answers to a worker whose lock is gone, or another's by now; the lines are throttled and say what they held back. */
async function refusedSettles(campaign: Campaign): Promise<number> {
  const lines = (await campaign.logLines()).filter((line) =>
    /Missing lock|Lock mismatch|not in the active state/i.test(line),
  );
  return lines.reduce((sum, line) => sum + 1 + Number(/"held_back":(\d+)/.exec(line)?.[1] ?? 0), 0);
}
