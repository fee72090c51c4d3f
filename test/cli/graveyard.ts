// Writes that have died, and what is done to them by the command line.
import { audit } from '../../queue/acts.ts';
import { createWorld, planned, type World } from '../support/world.ts';
import { type Ended, runCli } from './run-cli.ts';

export const WHY = ['--reason', 'the API is well again', '--by', 'ann'];

/** Writes that died of their plans, in this order; no worker runs any more. */
export async function graveyard(...plans: string[][]): Promise<{ world: World; keys: string[]; letters: string[] }> {
  const world = await createWorld();
  const worker = await world.startWorker();
  const keys: string[] = [];
  const letters: string[] = [];
  for (const plan of plans) {
    const { data } = await world.queue.add('send', planned(...plan), { maxAttempts: 1 });
    keys.push(data.idempotencyKey);
    letters.push((await world.until(data.idempotencyKey, 'dead')).letter?.id ?? '');
  }
  await worker.stop(AbortSignal.timeout(2000));
  return { world, keys, letters };
}

export const act = (verb: string, world: World, ...flags: string[]): Promise<Ended> =>
  runCli(['dead-letters', verb, '--destination', world.name, ...flags]);

export const actsOf = async (world: World): Promise<unknown[]> => Array.fromAsync(audit(world.reader, world.name));
