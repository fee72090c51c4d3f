// Poison: a write whose worker dies each time it is sent. 20 of them among 50 times as many good ones.
import { rowKeys } from '../../../queue/keys.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import { type End, readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { sendsOf } from '../oracle.ts';
import { until } from '../until.ts';
import { firstLetterOf } from './dead-writes.ts';

const GOOD_PER_POISON = 50;
const DEATH_LIMIT_MS = 480_000;
/** The API is silent, so that the worker is still waiting when it is killed. */
const SILENT = { steps: Array.from({ length: 40 }, () => 'hang'), ending: 'dead' } as const;

export const poison: Fault = {
  name: 'poison',
  title: 'a write whose worker dies each time it is sent, among 50 good ones each',
  published: 20,
  batch: 20,
  slice: 0,
  // Silent for longer than it takes to kill; few slots, so that a death takes few good writes along; patience for those.
  options: () => ({ workers: 2, destination: { timeoutMs: 5000, concurrency: 4 }, worker: { maxCrashes: 3 } }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('poison');
    const entries = Array.from({ length: amount }, () => campaign.ledger.intend(uuid(chance), SILENT));
    entries.forEach(({ key }) => campaign.poison.add(key));
    const load = campaign.load({ backlog: 40, total: amount * GOOD_PER_POISON });
    const seenBefore = new Map<string, number>();
    let added = 0;
    const end = performance.now() + DEATH_LIMIT_MS;
    while (!(await allDead(campaign)) && performance.now() < end) {
      // One after the other: a good write beside several of them would share their fate.
      if (added < amount && (await deaths(campaign)) >= added) {
        await addUntilAcknowledged(campaign.queue, campaign.ledger, entries.slice(added, added + 1));
        added += 1;
      }
      await killWhoSends(campaign, seenBefore);
    }
    await load.done;
    return added;
  },
  extra: async (campaign) => {
    const ends = await readEnds(campaign.reader, DESTINATION);
    const of = [...campaign.ledger.entries()].map((entry) => ({ ...entry, end: ends.of(entry.key) }));
    const crashed = of.filter(({ end }) => isCrashed(end));
    campaign.figures['dead as crashed'] = crashed.length;
    campaign.figures['poison'] = campaign.poison.size;
    return of
      .filter(({ key }) => !campaign.poison.has(key))
      .flatMap(({ key, plan, end }) =>
        end.places.join('+') === plan.ending && !isCrashed(end)
          ? []
          : [
              `${key} is no poison, and stands ${end.places.join('+') || 'nowhere'} (${end.letter?.reason ?? 'no letter'})`,
            ],
      );
  },
};

const isCrashed = ({ places, letter }: End): boolean => places.includes('dead') && letter?.reason === 'crashed';

/** How many poisons are dead. */
async function deaths(campaign: Campaign): Promise<number> {
  const ids = [...campaign.poison].map((key) => firstLetterOf(key));
  const found = await Promise.all(ids.map((id) => campaign.reader.client.zscore(rowKeys(DESTINATION).byTime, id)));
  return found.filter((score) => score !== null).length;
}

const allDead = async (campaign: Campaign): Promise<boolean> => (await deaths(campaign)) === campaign.poison.size;

/** The oracle knows by its API key which worker has sent the poison. */
async function killWhoSends(campaign: Campaign, seenBefore: Map<string, number>): Promise<void> {
  await until(
    'a poison is sent',
    () => [...campaign.poison].some((key) => sendsOf(campaign, key).length > (seenBefore.get(key) ?? 0)),
    6000,
    5,
  ).catch(() => {});
  for (const key of campaign.poison) {
    const sends = sendsOf(campaign, key);
    if (sends.length <= (seenBefore.get(key) ?? 0)) continue;
    seenBefore.set(key, sends.length);
    const worker = [...campaign.workers].find(({ slot }) => slot === sends.at(-1)?.client);
    if (worker) await campaign.killWorker(worker);
  }
}
