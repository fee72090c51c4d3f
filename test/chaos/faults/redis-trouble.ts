// Redis that is there and cannot serve for a while: out of memory, read-only, loading its data, its scripts forgotten. Under
// load, one spell of trouble after the other, and a worker may not fill its log with it.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Campaign } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Fault } from '../fault.ts';
import { noisiestSecond } from '../log-noise.ts';
import { appendOnlyFile, killRedis, redisOf, startRedisAgain } from '../redis-server.ts';
import { until } from '../until.ts';

const BACKLOG = 150;
const WRITES_PER_SPELL = 60;
const MIN_SPELL_MS = 100;
const MAX_SPELL_MS = 1800;
const GOES_ON_LIMIT_MS = 60_000;
const MAX_LINES_A_SECOND = 10;
/** About what the system makes of the shortest sleep. */
const SHORTEST_SLEEP_MS = 0.06;
const LOADED_ANYWAY = 20;
/**
 * Each spell may cost a write a start, and many of them come within its life. With locks of 1 s; those of 30 s outlive
 * them.
 */
export const PATIENCE = { worker: { maxCrashes: 30 }, repliesBreak: true };

interface Trouble {
  name: string;
  title: string;
  /** From its beginning to its end. */
  spell: (campaign: Campaign, chance: Chance) => Promise<unknown>;
}

const troubles: readonly Trouble[] = [
  {
    name: 'redis-oom',
    title: 'Redis out of memory for up to 2 s (OOM)',
    spell: async ({ reader: { client } }, chance) => {
      await client.config('SET', 'maxmemory', '1');
      await sleep(chance.between(MIN_SPELL_MS, MAX_SPELL_MS));
      await client.config('SET', 'maxmemory', '0');
    },
  },
  {
    name: 'redis-readonly',
    title: 'Redis a replica for up to 2 s (READONLY), as in a failover that is taken back',
    spell: async ({ reader: { client } }, chance) => {
      // Nobody listens there, so nothing is copied over what it holds.
      await client.replicaof('127.0.0.1', 1);
      await sleep(chance.between(MIN_SPELL_MS, MAX_SPELL_MS));
      await client.replicaof('NO', 'ONE');
    },
  },
  {
    name: 'redis-loading',
    title: 'Redis killed, and loading its data for up to 2 s (LOADING)',
    spell: async (campaign, chance) => {
      await killRedis(campaign);
      await startRedisAgain(campaign, ['--key-load-delay', loadDelay(campaign, chance)]);
    },
  },
  {
    name: 'redis-script-flush',
    title: 'SCRIPT FLUSH under load (NOSCRIPT)',
    spell: async ({ reader: { client } }, chance) => {
      await sleep(chance.between(0, 100));
      await client.script('FLUSH');
    },
  },
];

export const redisTroubles: readonly Fault[] = troubles.map(({ name, title, spell }) => ({
  name,
  title,
  published: 50,
  batch: 50,
  slice: name === 'redis-script-flush' ? 2 : 0,
  options: () => PATIENCE,
  inject: async (campaign, amount) => {
    redisOf(campaign);
    const chance = campaign.chance.fork(name);
    const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_SPELL });
    for (let spells = 0; spells < amount; spells += 1) {
      load.allowed = (spells + 1) * WRITES_PER_SPELL;
      await until('its share is on its way', () => load.added > spells * WRITES_PER_SPELL, GOES_ON_LIMIT_MS, 5);
      await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 5000, 2).catch(
        () => {},
      );
      // What was answered waits to be settled for half a lock time; then somebody else has it.
      campaign.allLost();
      await spell(campaign, chance);
    }
    await load.done;
    return amount;
  },
  extra: quietly,
}));

/** The row's own promise. */
export async function quietly(campaign: Campaign): Promise<string[]> {
  const { count, worker, said } = noisiestSecond(await campaign.logLines());
  campaign.figures['lines of trouble a second, at most'] = count;
  return count <= MAX_LINES_A_SECOND ? [] : [`${worker} logged ${count} lines within a second, such as "${said}"`];
}

/**
 * Redis' own setting for tests of slow loading: it sleeps so many µs after each command of its file, or, where it is
 * negative, the shortest time after one of so many.
 */
function loadDelay(campaign: Campaign, chance: Chance): string {
  const commands = readFileSync(appendOnlyFile(campaign)).toString('latin1').split('\r\n*').length;
  const forMs = chance.between(MIN_SPELL_MS, MAX_SPELL_MS);
  const each = forMs / (commands + LOADED_ANYWAY);
  return each > SHORTEST_SLEEP_MS
    ? String(Math.max(1, Math.round((each - SHORTEST_SLEEP_MS) * 1000)))
    : String(-Math.ceil(SHORTEST_SLEEP_MS / each));
}
