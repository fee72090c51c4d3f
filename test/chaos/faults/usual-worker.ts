// The negative controls: the worker that everybody writes, under the same kills and with the same retries. It must not pass:
// it has to lose writes, as a letter that is added in `on('failed')` dies with its worker. A 409 that says "still in
// progress" is in no plan of its own, for it takes that for a rejection without any kill.
import type { Fault } from '../fault.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { startTrap } from '../trap.ts';
import { killWorker } from './kill-worker.ts';

export const usualWorker: Fault = {
  ...killWorker,
  name: 'usual-worker',
  title: 'the control: kill -9 of the worker that everybody writes',
  usual: true,
  published: 300,
  batch: 150,
  slice: 0,
};

/** Its queue of dead letters. */
const LETTERS = '.dead:';
const TRAP_LIMIT_MS = 20_000;

/** The very step: the write has failed in Redis, and its letter is not there yet. */
export const usualWorkerAtLetter: Fault = {
  name: 'usual-worker-at-letter',
  title: 'the control: kill -9 of the worker that everybody writes, before it adds its dead letter',
  usual: true,
  published: 20,
  batch: 20,
  slice: 0,
  options: () => ({ workers: 0 }),
  inject: async (campaign, amount) => {
    const trap = await startTrap(campaign.redis?.url ?? '');
    campaign.defer(() => trap.close());
    const chance = campaign.chance.fork('letters');
    for (let kills = 0; kills < amount; kills += 1) {
      const worker = await campaign.startWorker({ redisUrl: trap.url });
      const sprung = new Promise<void>((resolve, reject) => {
        const tooLong = setTimeout(() => reject(new Error(`no letter within ${TRAP_LIMIT_MS} ms`)), TRAP_LIMIT_MS);
        trap.set({
          onCommand: ({ script, args }) =>
            script !== undefined && args.some((word) => word.includes(LETTERS)) ? 'swallow' : 'pass',
          onSprung: () => {
            clearTimeout(tooLong);
            worker.kill('SIGKILL');
            resolve();
          },
        });
      });
      const entry = campaign.ledger.intend(uuid(chance), { steps: ['422'], ending: 'dead' });
      await addUntilAcknowledged(campaign.queue, campaign.ledger, [entry]);
      await sprung;
      await campaign.killWorker(worker, false);
      trap.reset();
    }
    await campaign.startWorker();
    return amount;
  },
};
