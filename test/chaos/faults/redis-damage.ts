// Hands in Redis: the record of a write is deleted while its id waits, is delayed or under way, as an evicting server does it;
// or a field of it is overwritten with what nobody can read.
//
// An evicted record is a lost write, and nobody can bring it back: nothing but its id and its place is left. So it must be
// seen: dead as invalid, in doubt, since it may have been sent. Fed again under its key before that it is a write anew.
// What is corrupt is dead as invalid with what stood there, or mended where the write itself is whole.
import { jobIdOf } from '../../../core/write.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import type { Entry } from '../ledger.ts';
import { addUntilAcknowledged } from '../load.ts';
import { until } from '../until.ts';
import { PATIENCE, quietly } from './redis-trouble.ts';

const WRITES_PER_HIT = 40;
const BACKLOG = 150;
const GOES_ON_LIMIT_MS = 60_000;
const PLACES = ['wait', 'active', 'delayed'] as const;

/**
 * Chooses one of those that stand in a place and damages its hash, in one step: none that is settled, and stands there a
 * second time until it is looked at.
 * KEYS: the place. ARGV: the prefix of the hashes, a number for the choice, then nothing, or a field and its new value.
 */
const DAMAGE = `
local delayed = redis.call('TYPE', KEYS[1]).ok == 'zset'
local ids = delayed and redis.call('ZRANGE', KEYS[1], 0, -1) or redis.call('LRANGE', KEYS[1], 0, -1)
if #ids == 0 then return false end
local id = ids[ARGV[2] % #ids + 1]
if redis.call('HEXISTS', ARGV[1] .. id, 'data') == 0 then return false end
for _, settled in ipairs({ 'completed', 'failed' }) do
  if redis.call('ZSCORE', ARGV[1] .. settled, id) then return false end
end
if ARGV[3] then redis.call('HSET', ARGV[1] .. id, ARGV[3], ARGV[4]) else redis.call('DEL', ARGV[1] .. id) end
return id
`;

const DAMAGES = [
  ['data', '{"method":'],
  ['data', 'null'],
  ['opts', '{'],
  ['opts', 'null'],
  ['progress', 'x{'],
  ['progress', '{"attempts":[null],"postponed":0}'],
  ['ats', 'x'],
  ['atm', '99999999999999999999'],
] as const;

const evicted = new WeakMap<Campaign, Set<Entry>>();

export const redisDamages: readonly Fault[] = [
  {
    name: 'redis-evicted-hash',
    title: 'the record of a waiting, delayed or active write deleted, as by eviction',
    published: 50,
    batch: 50,
    slice: 1,
    options: () => PATIENCE,
    inject: (campaign, amount) => {
      const gone = new Set<Entry>();
      evicted.set(campaign, gone);
      return hitOneByOne(campaign, amount, async (chance) => {
        const entry = await damage(campaign, chance, []);
        if (!entry) return false;
        entry.recordLost = true;
        entry.writeLost = true;
        entry.endings = ['dead'];
        gone.add(entry);
        if (chance.next() < 0.3) await feedAgain(campaign, entry, gone);
        return true;
      });
    },
    extra: async (campaign) => [...(await seen(campaign)), ...(await quietly(campaign))],
  },
  {
    name: 'redis-corrupt-job',
    title: 'a field of a waiting, delayed or active write overwritten with what nobody can read',
    published: 50,
    batch: 50,
    slice: 1,
    options: () => PATIENCE,
    inject: (campaign, amount) =>
      hitOneByOne(campaign, amount, async (chance) => {
        const [field, value] = chance.pick(DAMAGES);
        const entry = await damage(campaign, chance, [field, value]);
        if (!entry) return false;
        if (field === 'data') {
          entry.writeLost = true;
          entry.endings = [entry.plan.ending, 'dead'];
        }
        // How often it was started before is told by its counters and its journal.
        else entry.recordLost = true;
        return true;
      }),
    extra: quietly,
  },
];

/** Before it is found dead it is a write anew; afterwards its key is refused, since nobody knows what it stood for. */
async function feedAgain(campaign: Campaign, entry: Entry, gone: Set<Entry>): Promise<void> {
  try {
    await addUntilAcknowledged(campaign.queue, campaign.ledger, [entry]);
    entry.endings = ['dead', entry.plan.ending];
    gone.delete(entry);
  } catch (error) {
    if ((error as { code?: string }).code !== 'IDEMPOTENCY_CONFLICT') throw error;
  }
}

async function hitOneByOne(
  campaign: Campaign,
  amount: number,
  hit: (chance: Chance) => Promise<boolean>,
): Promise<number> {
  const chance = campaign.chance.fork('damage');
  const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_HIT });
  for (let hits = 0; hits < amount; hits += 1) {
    await load.share(hits, WRITES_PER_HIT);
    await until('one is hit', () => hit(chance), GOES_ON_LIMIT_MS, 5);
  }
  await load.done;
  return amount;
}

async function damage(campaign: Campaign, chance: Chance, how: readonly string[]): Promise<Entry | undefined> {
  const queue = campaign.reader.queue(DESTINATION);
  const place = queue.toKey(chance.pick(PLACES));
  const prefix = queue.toKey('');
  const id = await campaign.reader.client.eval(DAMAGE, 1, place, prefix, chance.between(0, 1e6), ...how);
  if (typeof id !== 'string') return undefined;
  const entry = [...campaign.ledger.entries()].find(({ key }) => jobIdOf(key) === id);
  if (!entry) throw new Error(`${id} was added by nobody`);
  return entry;
}

/** A lost write that nobody fed again is seen by whoever looks at the dead, and claims nothing. */
async function seen(campaign: Campaign): Promise<string[]> {
  const ends = await readEnds(campaign.reader, DESTINATION);
  return [...(evicted.get(campaign) ?? [])].flatMap(({ key }) => {
    const { places, letter, verdict } = ends.of(key);
    const reason = letter?.reason ?? 'none';
    return places.join() === 'dead' && reason === 'invalid' && verdict === 'in-doubt'
      ? []
      : [`${key}: its record was deleted, and it stands ${places.join(' and ') || 'nowhere'}, ${reason}, ${verdict}`];
  });
}
