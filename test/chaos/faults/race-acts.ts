// Discard, replay, probe and restore racing at the same letters, doubles accepted among them: operators in processes that are killed in the act, operators
// in this one, and workers that are killed while they send what was replayed.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jobIdOf } from '../../../core/write.ts';
import { letterId } from '../../../queue/keys.ts';
import { acknowledgeAudited, judgeActs, judgePlaces, readActs, type Told } from '../audited.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import type { Entry } from '../ledger.ts';
import { uuid } from '../load.ts';
import { carryOut, type Order, type Report } from '../operator.ts';
import { sendsOf } from '../oracle.ts';
import { PLAN_OK, type Plan } from '../plans.ts';
import { until } from '../until.ts';
import { addDead, bodyOf } from './dead-writes.ts';

const OPERATOR = fileURLToPath(new URL('../operator-child.ts', import.meta.url));
const IN_PROCESSES = 3;
const IN_PROCESS = 2;
const ACTS_PER_WRITE = 10;
/** So many letters are fought over at once; a replayed one is not there for a while. */
const WINDOW = 4;
/** An operator's acts until it is killed in one. */
const LIFE = { low: 4, high: 20 };
/** An operator in this process is quicker than one that must be started anew. */
const SHARE_HERE = 0.3;
const SHARE_MOVED = 0.15;
const SHARE_SAME_KEY = 0.6;
/** Of the replays under another key. */
const SHARE_DOUBLE = 0.5;
const SHARE_APPLIED = 0.25;
const ACTS = ['discard', 'restore', 'replay', 'replay', 'probe'] as const;
const ACTS_PER_WORKER_KILL = 50;
const LIMIT_MS = 30_000;

const told = new WeakMap<Campaign, Map<string, Told>>();

type Operate = (order: Order) => Promise<Report | undefined>;

export const raceActs: Fault = {
  name: 'race-acts',
  title: 'discard, replay, probe and restore racing, with kills of workers and operators',
  published: 2000,
  batch: 1000,
  slice: 30,
  // Slow enough that a worker is killed while it sends.
  options: () => ({ workers: 2, worker: { maxCrashes: 1000 }, sandbox: { latencyMs: 25 } }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('race');
    const said = new Map<string, Told>();
    told.set(campaign, said);
    const count = Math.ceil(amount / ACTS_PER_WRITE) + WINDOW;
    const targets = await addDead(
      campaign,
      chance,
      Array.from({ length: count }, () => diesSoOften(chance)),
    );
    for (const entry of targets) leaveOpen(entry);
    const moved: Entry[] = [];
    let begun = 0;
    let operatorKills = 0;
    const allBegun = (): boolean => begun >= amount;

    const next = async (): Promise<Order | undefined> => {
      const end = performance.now() + LIMIT_MS;
      while (begun < amount && performance.now() < end) {
        const first = Math.floor((begun / amount) * (targets.length - WINDOW));
        // What went on under another key may die there, and is fought over too.
        const late = chance.next() < SHARE_MOVED ? moved.at(-chance.between(1, WINDOW)) : undefined;
        const entry = late ?? targets[first + chance.between(0, WINDOW - 1)];
        const letter = entry && (await letterOf(campaign, chance, entry.key));
        if (letter !== undefined && begun < amount) {
          begun += 1;
          return drawOrder(campaign, chance, letter, entry?.plan);
        }
        await sleep(2);
      }
      return undefined;
    };
    const note = (order: Order, report: Report | undefined): void => {
      const { actId } = order.operator;
      if (report) said.set(actId, report.refused === undefined ? 'done' : 'refused');
      const newKey = order.options?.newKey;
      if (report && report.refused === undefined && typeof newKey === 'string') {
        campaign.ledger.acknowledge(newKey);
        const entry = campaign.ledger.get(newKey);
        if (entry) moved.push(entry);
      }
    };
    const work = async (operate: Operate, acts: number): Promise<Order | undefined> => {
      for (let done = 0; done < acts; done += 1) {
        const order = await next();
        if (!order) return undefined;
        said.set(order.operator.actId, 'nothing');
        const report = await operate(order);
        if (!report) return order;
        note(order, report);
      }
      return undefined;
    };
    let doneHere = 0;
    const here: Operate = (order) => carryOut(campaign.reader, DESTINATION, order);
    const inProcess = async (): Promise<void> => {
      await work(async (order) => {
        doneHere += 1;
        const report = await here(order);
        await until('the others too', () => doneHere <= begun * SHARE_HERE || allBegun(), LIMIT_MS, 1).catch(() => {});
        return report;
      }, Infinity);
    };
    const inProcesses = async (): Promise<void> => {
      while (!allBegun()) {
        const child = await startOperator(campaign);
        const life = chance.between(LIFE.low, LIFE.high);
        const unanswered = await work(child.operate, life);
        if (unanswered) throw new Error(`an operator died by itself; see ${campaign.folder}`);
        const order = await next();
        if (order) {
          said.set(order.operator.actId, 'nothing');
          const report = await child.operateAndDie(order, chance.between(0, 3));
          operatorKills += 1;
          if (report) note(order, report);
          // Whoever does not know what came of an act does it again as the same act; or nobody does.
          else if (chance.next() < 0.5) {
            await sleep(chance.between(0, 100));
            note(order, await here(order));
          }
        }
        await child.end();
      }
    };
    let isOver = false;
    const killWorkers = async (): Promise<void> => {
      for (let at = ACTS_PER_WORKER_KILL / 2; at < amount; at += ACTS_PER_WORKER_KILL) {
        await until('more acts', () => begun >= at || isOver, LIMIT_MS * 10, 5);
        if (isOver) return;
        const worker = chance.pick([...campaign.workers]);
        if (worker) await campaign.killWorker(worker);
      }
    };
    const killing = killWorkers();
    await Promise.all([
      ...Array.from({ length: IN_PROCESS }, inProcess),
      ...Array.from({ length: IN_PROCESSES }, inProcesses),
    ]);
    isOver = true;
    await killing;
    await acknowledgeAudited(campaign);
    campaign.figures['workers killed'] = campaign.losses.length;
    campaign.figures['operators killed'] = operatorKills;
    for (const what of ['done', 'refused', 'nothing'] as const)
      campaign.figures[`acts told ${what}`] = [...said.values()].filter((one) => one === what).length;
    return begun;
  },
  extra: async (campaign) => {
    const acts = await readActs(campaign);
    for (const act of ['replay', 'probe', 'discard', 'restore'])
      campaign.figures[`${act}s in the audit`] = acts.filter((one) => one.act === act).length;
    campaign.figures['doubles accepted'] = acts.filter(({ doubleAccepted }) => doubleAccepted).length;
    const keys = [...campaign.ledger.entries()].map(({ key }) => key);
    return [
      ...judgeActs({
        acts,
        told: told.get(campaign) ?? new Map<string, Told>(),
        sendsOf: (key) => sendsOf(campaign, key),
        keys,
      }),
      ...judgePlaces(acts, await readEnds(campaign.reader, DESTINATION), keys),
    ];
  },
};

/** Some die of an answer that leaves doubt, which forbids them another key; of those some were applied. */
function diesSoOften(chance: Chance): Plan {
  if (chance.next() < SHARE_APPLIED)
    return { steps: ['500-applied', ...Array.from({ length: chance.between(1, 4) }, () => '403')], ending: 'dead' };
  const death = chance.pick(['403', '403', '422', '302']);
  return { steps: Array.from({ length: chance.between(1, 6) }, () => death), ending: 'dead' };
}

function leaveOpen(entry: Entry): void {
  entry.endings = ['delivered', 'dead', 'discarded', 'moved'];
}

/** Of a write that is dead: its newest letter, or one that has long been dealt with. */
async function letterOf(campaign: Campaign, chance: Chance, key: string): Promise<string | undefined> {
  const { client } = campaign.reader;
  const dead = campaign.reader.queue(DESTINATION, `${DESTINATION}.dead`);
  const jobId = jobIdOf(key);
  let generations = 0;
  while ((await client.exists(dead.toKey(letterId(jobId, generations)))) === 1) generations += 1;
  if (generations === 0) return undefined;
  return letterId(jobId, chance.next() < 0.85 ? generations - 1 : chance.between(0, generations - 1));
}

function drawOrder(campaign: Campaign, chance: Chance, letter: string, plan: Plan = PLAN_OK): Order {
  const operator = { by: 'chaos', reason: 'a race', actId: uuid(chance) };
  const act = chance.pick(ACTS);
  if (act !== 'replay' || chance.next() < SHARE_SAME_KEY) return { act, letter, operator };
  const newPlan: Plan = chance.next() < 0.5 ? PLAN_OK : { ...plan, steps: plan.steps.slice(1) };
  const entry = campaign.ledger.intend(uuid(chance), newPlan);
  leaveOpen(entry);
  const acceptDouble = chance.next() < SHARE_DOUBLE;
  return { act, letter, operator, options: { newKey: entry.key, edit: { body: bodyOf(newPlan) }, acceptDouble } };
}

interface ChildOperator {
  operate: Operate;
  /** Killed so many ms after the order was sent. @returns undefined where it did not answer before */
  operateAndDie(order: Order, afterMs: number): Promise<Report | undefined>;
  end(): Promise<void>;
}

async function startOperator(campaign: Campaign): Promise<ChildOperator> {
  const child = await campaign.startProcess(OPERATOR, {
    CHAOS_REDIS: campaign.redis?.url ?? '',
    CHAOS_DESTINATION: DESTINATION,
  });
  let answer: (report: Report | undefined) => void = () => {};
  child.onMessage((message) => answer(message as Report));
  void child.exited.then(() => answer(undefined));
  const operate: Operate = (order) =>
    new Promise((resolve) => {
      answer = resolve;
      child.send(order);
    });
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
  };
  return {
    operate,
    operateAndDie: async (order, afterMs) => {
      const report = operate(order);
      await sleep(afterMs);
      await end();
      return report;
    },
    end,
  };
}
