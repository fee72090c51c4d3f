// kill -9 of a producer between its intent and the acknowledgement: at the very script that adds, before it or with its
// reply unread, or at any moment. The next producer repeats what was not acknowledged, most of it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jobIdOf } from '../../../core/write.ts';
import { ADD_SCRIPTS } from '../../../queue/scripts/add.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Fault } from '../fault.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { drawPlan } from '../plans.ts';
import type { Errand } from '../producer-child.ts';
import { type Bait, scriptHash, startTrap } from '../trap.ts';
import { until } from '../until.ts';

const CHILD = fileURLToPath(new URL('../producer-child.ts', import.meta.url));
const LANES = 3;
/** More than a producer lives to add. */
const ERRANDS = 60;
const MOMENTS = ['before', 'unread', 'any'] as const;
const LIMIT_MS = 15_000;

const ADDING = new Set<string | undefined>(Object.values(ADD_SCRIPTS).map(({ lua }) => scriptHash(lua)));

export const killProducer: Fault = {
  name: 'kill-producer',
  title: 'kill -9 of a producer between its intent and the acknowledgement',
  published: 200,
  batch: 100,
  slice: 1,
  options: () => ({ workers: 2 }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('producers');
    const unacknowledged: Errand[] = [];
    let begun = 0;
    let kills = 0;
    let repeated = 0;
    const forgotten: string[] = [];

    const lane = async (_: unknown, number: number): Promise<void> => {
      const trap = await startTrap(campaign.redis?.url ?? '');
      campaign.defer(() => trap.close());
      const book = join(campaign.folder, `producer-${number}.book`);
      while (begun < amount) {
        begun += 1;
        await writeFile(book, '');
        const moment = chance.pick(MOMENTS);
        const atOnce = chance.pick([1, 1, 5]);
        const child = await campaign.startProcess(CHILD, {
          CHAOS_REDIS: trap.url,
          CHAOS_DESTINATION: DESTINATION,
          CHAOS_BOOK: book,
          CHAOS_AT_ONCE: String(atOnce),
        });
        const again = unacknowledged.splice(0);
        const errands = [
          ...again,
          ...Array.from({ length: ERRANDS }, () => ({ key: uuid(chance), plan: drawPlan(chance) })),
        ];
        let left = chance.between(1, 30);
        const onCommand: Bait['onCommand'] = ({ script }) => {
          if (moment === 'any' || !ADDING.has(script)) return 'pass';
          left -= 1;
          return left > 0 ? 'pass' : moment === 'before' ? 'swallow' : 'hold';
        };
        trap.set({ onCommand, onSprung: () => child.kill('SIGKILL') });
        child.send(errands);
        if (moment === 'any') {
          await until('it has begun', async () => (await readFile(book)).length > 0, LIMIT_MS, 1);
          await sleep(chance.between(0, 25));
          child.kill('SIGKILL');
        }
        await until('it is dead', () => !child.alive, LIMIT_MS, 2);
        trap.reset();

        const { meant, stored } = await readBook(book);
        for (const { key, plan } of errands.filter((errand) => meant.has(errand.key))) {
          campaign.ledger.intend(key, plan);
          if (stored.has(key)) campaign.ledger.acknowledge(key);
        }
        const open = errands.filter(({ key }) => meant.has(key) && !stored.has(key));
        if (open.length > 0) kills += 1;
        else begun -= 1;
        repeated += again.length;
        for (const errand of again.filter(({ key }) => !meant.has(key))) unacknowledged.push(errand);
        // Some are never repeated: they may stand, or not.
        for (const errand of open) {
          if (chance.next() < 0.75) unacknowledged.push(errand);
          else forgotten.push(errand.key);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, amount) }, lane));
    const rest = unacknowledged.map(({ key, plan }) => campaign.ledger.intend(key, plan));
    await addUntilAcknowledged(campaign.queue, campaign.ledger, rest);
    campaign.figures['adds repeated'] = repeated + rest.length;
    campaign.figures['never repeated'] = forgotten.length;
    campaign.figures['never repeated, and stored'] = await countStored(campaign, forgotten);
    return kills;
  },
};

async function readBook(file: string): Promise<{ meant: Set<string>; stored: Set<string> }> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const of = (word: string): Set<string> =>
    new Set(lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1)));
  return { meant: of('means'), stored: of('stored') };
}

async function countStored(campaign: Campaign, keys: readonly string[]): Promise<number> {
  const found = await Promise.all(keys.map((key) => campaign.queue.getJob(jobIdOf(key))));
  return found.filter((job) => job !== undefined).length;
}
