// kill -9 of an operator at its act: before the script, or with its reply unread. Then somebody does the same act again,
// as the same act or as one of his own: it is done once.
import { fileURLToPath } from 'node:url';
import { discard } from '../../../queue/operate.ts';
import { DISCARD, REPLAY_SCRIPTS, RESTORE } from '../../../queue/scripts/acts.ts';
import { acknowledgeAudited, judgeActs, judgePlaces, readActs, type Told } from '../audited.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import type { Entry } from '../ledger.ts';
import { uuid } from '../load.ts';
import { carryOut, type Order } from '../operator.ts';
import { sendsOf } from '../oracle.ts';
import { PLAN_OK, type Plan } from '../plans.ts';
import { scriptHash, startTrap } from '../trap.ts';
import { until } from '../until.ts';
import { addDead, bodyOf, firstLetterOf } from './dead-writes.ts';

const OPERATOR = fileURLToPath(new URL('../operator-child.ts', import.meta.url));
const LANES = 3;
const LIMIT_MS = 15_000;
type Act = Exclude<Order['act'], 'probe'>;
type KillOrder = Order & { act: Act };

const SCRIPTS: Record<Act, readonly string[]> = {
  replay: Object.values(REPLAY_SCRIPTS).map(({ lua }) => scriptHash(lua)),
  discard: [scriptHash(DISCARD.lua)],
  restore: [scriptHash(RESTORE.lua)],
};

const REVERSE: Partial<Record<Act, Act>> = { discard: 'restore', restore: 'discard' };
const ENDINGS = { replay: ['delivered'], discard: ['discarded'], restore: ['dead'] } as const;

/** Dies once; sent again under its own key it succeeds. */
const DIES_ONCE: Plan = { steps: ['403'], ending: 'dead' };
/** The API keeps its rejection under the key: only another key helps. */
const STORED: Plan = { steps: ['422'], ending: 'dead' };

interface Memory {
  told: Map<string, Told>;
  broken: string[];
}
const records = new WeakMap<Campaign, Memory>();

function killOperator(act: Act, moment: 'before' | 'unread'): Fault {
  const when = moment === 'before' ? 'before its script' : 'with its script sent and the reply unread';
  return {
    name: `kill-operator-${act}-${moment}`,
    title: `kill -9 of an operator at a ${act}, ${when}; then the same act again`,
    published: 200,
    batch: 100,
    slice: act === 'replay' && moment === 'unread' ? 1 : 0,
    options: () => ({ workers: 1 }),
    inject: async (campaign, amount) => {
      const chance = campaign.chance.fork('operators');
      const record: Memory = { told: new Map(), broken: [] };
      records.set(campaign, record);
      const plans = Array.from({ length: amount }, () => (chance.next() < 0.5 ? DIES_ONCE : STORED));
      const entries = await addDead(campaign, chance, plans);
      if (act === 'restore') await discardAll(campaign, chance, entries, record);
      let kills = 0;
      const lane = async (): Promise<void> => {
        const trap = await startTrap(campaign.redis?.url ?? '');
        campaign.defer(() => trap.close());
        for (let entry = entries.pop(); entry; entry = entries.pop()) {
          const child = await campaign.startProcess(OPERATOR, {
            CHAOS_REDIS: trap.url,
            CHAOS_DESTINATION: DESTINATION,
          });
          let isSprung = false;
          trap.set({
            onCommand: ({ script = '' }) =>
              !SCRIPTS[act].includes(script) ? 'pass' : moment === 'before' ? 'swallow' : 'hold',
            onSprung: () => {
              isSprung = true;
              child.kill('SIGKILL');
            },
          });
          const first = orderOf(campaign, chance, act, entry);
          child.send(first);
          await until(`a killed ${act}`, () => !child.alive, LIMIT_MS, 2);
          trap.reset();
          if (isSprung) kills += 1;
          await again(campaign, chance, record, entry, first, moment === 'unread');
        }
      };
      await Promise.all(Array.from({ length: Math.min(LANES, amount) }, lane));
      await acknowledgeAudited(campaign);
      return kills;
    },
    extra: async (campaign) => {
      const { told = new Map<string, Told>(), broken = [] } = records.get(campaign) ?? {};
      const acts = await readActs(campaign);
      const own = acts.filter((one) => one.act === act);
      const letters = new Set(own.map(({ letter }) => letter));
      const keys = [...campaign.ledger.entries()].map(({ key }) => key);
      return [
        ...broken,
        ...(letters.size === own.length ? [] : [`${own.length} times ${act} upon ${letters.size} letters`]),
        ...judgeActs({ acts, told, sendsOf: (key) => sendsOf(campaign, key), keys }),
        ...judgePlaces(acts, await readEnds(campaign.reader, DESTINATION), keys),
      ];
    },
  };
}

function orderOf(campaign: Campaign, chance: Chance, act: Act, entry: Entry): KillOrder {
  const operator = { by: 'chaos', reason: 'killed in the act', actId: uuid(chance) };
  const order: KillOrder = { act, letter: firstLetterOf(entry.key), operator };
  entry.endings = ENDINGS[act];
  if (act !== 'replay' || entry.plan !== STORED) return order;
  entry.endings = ['moved'];
  const newKey = campaign.ledger.intend(uuid(chance), PLAN_OK).key;
  return { ...order, options: { newKey, edit: { body: bodyOf(PLAN_OK) } } };
}

/** The act once more: as the same, by whoever does not know what came of it, or as another operator's own. */
async function again(
  campaign: Campaign,
  chance: Chance,
  { told, broken }: Memory,
  entry: Entry,
  first: KillOrder,
  wasDone: boolean,
): Promise<void> {
  const isSame = chance.next() < 0.5;
  const second = isSame ? first : orderOf(campaign, chance, first.act, entry);
  told.set(first.operator.actId, 'nothing');
  // What was done and taken back since is not done again by who repeats it.
  const reverse = REVERSE[first.act];
  if (wasDone && isSame && reverse && chance.next() < 0.5) {
    const { actId, refused } = await carryOut(campaign.reader, DESTINATION, orderOf(campaign, chance, reverse, entry));
    told.set(actId, 'done');
    if (refused !== undefined) broken.push(`${first.letter}: ${reverse} was answered ${refused}`);
  }
  const { actId, refused } = await carryOut(campaign.reader, DESTINATION, second);
  told.set(actId, refused === undefined ? 'done' : 'refused');
  const expected = wasDone && !isSame ? 'LETTER_HANDLED' : undefined;
  if (refused !== expected)
    broken.push(`${first.letter}: ${first.act} again was answered ${refused ?? 'done'}, not ${expected ?? 'done'}`);
}

async function discardAll(
  campaign: Campaign,
  chance: Chance,
  entries: readonly Entry[],
  { told }: Memory,
): Promise<void> {
  for (const { key } of entries) {
    const operator = { by: 'chaos', reason: 'to be restored', actId: uuid(chance) };
    await discard(campaign.reader, DESTINATION, firstLetterOf(key), operator);
    told.set(operator.actId, 'done');
  }
}

export const killOperators: readonly Fault[] = (['replay', 'discard', 'restore'] as const).flatMap((act) => [
  killOperator(act, 'before'),
  killOperator(act, 'unread'),
]);
