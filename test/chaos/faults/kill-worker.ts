// kill -9 of a random worker with writes in flight.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';

/** 100 writes for each kill. */
const WRITES_PER_KILL = 100;
const SLICE = 6;

export const killWorker: Fault = {
  name: 'kill-worker',
  title: 'kill -9 of a random worker with writes in flight, 100 writes for each kill',
  published: 1000,
  batch: 200,
  slice: SLICE,
  // The contract's own back-off, for the retries whose wait is judged; a slice has no time for it.
  options: (_seed, amount) => ({
    workers: 4,
    destination: { retry: amount > SLICE ? {} : { baseMs: 20, capMs: 160 } },
  }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('kills');
    const load = campaign.load({ backlog: 300, total: amount * WRITES_PER_KILL });
    let kills = 0;
    while (kills < amount) {
      await load.share(kills, WRITES_PER_KILL);
      await sleep(chance.between(0, 40));
      await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 30_000, 2).catch(
        () => {},
      );
      await campaign.killWorker(chance.pick([...campaign.workers]));
      kills += 1;
    }
    await load.done;
    return kills;
  },
};
