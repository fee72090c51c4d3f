// What a soak does every 10 s: one of these, whichever chance picks. Each has ended its harm when it resolves.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../../support/proxy.ts';
import type { Campaign, ChaosWorker, WorkerOptions } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { redisOf, startRedisAgain } from '../redis-server.ts';

const OUTAGE_MS = 1000;
const MAX_STARTS = 5;

export interface Scene {
  readonly campaign: Campaign;
  readonly chance: Chance;
  /** The worker that nobody kills, for it is weighed. */
  readonly kept: ChaosWorker;
  readonly redisProxy: FaultProxy;
  readonly apiProxy: FaultProxy;
  readonly workerOptions: WorkerOptions;
}

export const HARM: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'worker killed': async ({ campaign, chance, kept, workerOptions }) => {
    await campaign.killWorker(chance.pick([...campaign.workers].filter((worker) => worker !== kept)), false);
    await startAnother(campaign, workerOptions);
  },
  'worker stopped': async ({ campaign, chance }) => {
    const worker = chance.pick([...campaign.workers]);
    campaign.lost(worker.slot);
    worker.kill('SIGSTOP');
    await sleep(chance.between(1000, 2000));
    worker.kill('SIGCONT');
  },
  'Redis restarted': async ({ campaign }) => {
    // Its pause may be longer than a lock.
    campaign.allLost();
    await redisOf(campaign).stop();
    await startRedisAgain(campaign);
  },
  'connections reset': ({ redisProxy }) => Promise.resolve(redisProxy.killSockets()),
  'scripts flushed': ({ campaign }) => campaign.reader.client.script('FLUSH'),
  'API away': async ({ apiProxy }) => {
    await apiProxy.refuse();
    await sleep(OUTAGE_MS);
    await apiProxy.restore();
  },
};

/** One that is not ready in time is counted, and does not end an hour. */
async function startAnother(campaign: Campaign, options: WorkerOptions): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await campaign.startWorker(options);
      return;
    } catch (error) {
      if (tries === MAX_STARTS) throw error;
      const what = 'workers not ready within 60 s';
      campaign.figures[what] = Number(campaign.figures[what] ?? 0) + 1;
    }
  }
}
