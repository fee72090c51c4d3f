// kill -9 of a worker at a named step. Each worker talks to Redis through a trap that springs at that very step, for a
// write that was not trapped before, and the worker is killed before it can do anything else.
import { setTimeout as sleep } from 'node:timers/promises';
import { jobIdOf } from '../../../core/write.ts';
import { DEAD_LETTER } from '../../../queue/scripts/dead-letter.ts';
import { SETTLE, type Step } from '../../../queue/scripts/settle.ts';
import type { Campaign, ChaosWorker } from '../campaign.ts';
import type { Fault } from '../fault.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { sendsOf } from '../oracle.ts';
import type { Plan } from '../plans.ts';
import { type Bait, scriptHash, startTrap } from '../trap.ts';

const PER_STEP = 200;
const BATCH = 100;
/** Workers that are led into their traps at once. */
const LANES = 3;
/** Of writes for one trap; what others in flight meet is a part of it. */
const HANDFUL = 3;
const MORE_AFTER_MS = 400;
const KILL_LIMIT_MS = 20_000;

const delivered = (...steps: string[]): Plan => ({ steps, ending: 'delivered' });
const dead = (step: string): Plan => ({ steps: Array.from({ length: 40 }, () => step), ending: 'dead' });
const rejected = (step: string): Plan => ({ steps: [step], ending: 'dead' });

interface Settling {
  script: string;
  /** What stands before the job in that script's arguments, where it settles in several ways. */
  step?: Step;
  plans: readonly Plan[];
}

/** The steps that settle: the script by which a worker does it, and writes that lead to it. */
const SETTLING: Record<string, Settling> = {
  delivered: {
    script: SETTLE.lua,
    step: 'deliver',
    plans: [delivered('ok'), delivered('ok'), delivered('slow:20')],
  },
  retry: {
    script: SETTLE.lua,
    step: 'retry',
    plans: [delivered('503'), delivered('reset-after'), delivered('500-applied'), dead('503')],
  },
  postpone: {
    script: SETTLE.lua,
    step: 'retry',
    plans: [delivered('in-progress'), delivered('in-progress', 'in-progress')],
  },
  'dead letter': { script: DEAD_LETTER.lua, plans: [rejected('400'), rejected('422'), dead('403'), dead('401')] },
};

/** Writes that no trap has caught, by job id; and those that one has, with how often they were sent by then. */
interface Catch {
  fresh: Map<string, string>;
  trapped: Map<string, number>;
}

const catches = new WeakMap<Campaign, Catch>();

type BaitOf = (caught: Catch, take: (key: string) => void) => Omit<Bait, 'onSprung'>;

/** @param isFinal the step ends the write: whoever is killed there, it is not sent again */
function killStep(name: string, title: string, plans: readonly Plan[], baitOf: BaitOf, isFinal = false): Fault {
  return {
    name: `kill-step-${name}`,
    title: `kill -9 of a worker ${title}`,
    published: PER_STEP,
    batch: BATCH,
    slice: isFinal ? 1 : 0,
    // Several of its writes die with each worker, again and again.
    options: () => ({ workers: 0, worker: { maxCrashes: 1000 } }),
    inject: async (campaign, amount) => {
      const chance = campaign.chance.fork(name);
      const caught: Catch = { fresh: new Map(), trapped: new Map() };
      catches.set(campaign, caught);
      let begun = 0;
      const lane = async (): Promise<void> => {
        const trap = await startTrap(campaign.redis?.url ?? '');
        campaign.defer(() => trap.close());
        while (begun < amount) {
          begun += 1;
          const hasHook = chance.next() < 0.5;
          const worker = await campaign.startWorker({
            redisUrl: trap.url,
            ...(hasHook && { env: { CHAOS_HOOK: 'yes' } }),
          });
          let taken = '';
          const take = (key: string): void => {
            taken = key;
            caught.fresh.delete(jobIdOf(key));
            caught.trapped.set(key, sendsOf(campaign, key).length);
          };
          const sprung = new Promise<void>((resolve) => {
            trap.set({
              ...baitOf(caught, take),
              onSprung: (reply) => {
                worker.kill('SIGKILL');
                // Refused: the worker had lost its lock to another by then, and this was no settling.
                if (reply !== undefined && /^(-|:-)|\n:-/.test(reply)) caught.trapped.delete(taken);
                resolve();
              },
            });
          });
          await bringThere(sprung, async () => {
            const entries = Array.from({ length: HANDFUL }, () =>
              campaign.ledger.intend(uuid(chance), chance.pick(plans)),
            );
            for (const { key } of entries) caught.fresh.set(jobIdOf(key), key);
            await addUntilAcknowledged(campaign.queue, campaign.ledger, entries);
          });
          await campaign.killWorker(worker, false);
          trap.reset();
        }
      };
      await Promise.all(Array.from({ length: Math.min(LANES, amount) }, lane));
      return caught.trapped.size;
    },
    ...(isFinal && {
      extra: (campaign: Campaign) =>
        Promise.resolve(
          [...(catches.get(campaign)?.trapped ?? [])].flatMap(([key, sends]) =>
            sendsOf(campaign, key).length === sends ? [] : [`${key} was sent again after it was settled`],
          ),
        ),
    }),
  };
}

/** Adds writes until the trap has sprung. */
async function bringThere(sprung: Promise<void>, add: () => Promise<void>): Promise<void> {
  const end = performance.now() + KILL_LIMIT_MS;
  const done = sprung.then(() => true);
  for (;;) {
    await add();
    if (await Promise.race([done, sleep(MORE_AFTER_MS, false)])) return;
    if (performance.now() > end) throw new Error(`no write came to its trap within ${KILL_LIMIT_MS} ms`);
  }
}

/** The fetching script has been carried out, its reply with the write is swallowed. */
const beforePost = killStep(
  'before-post',
  'before the POST: the write was fetched, and the reply is unread',
  [delivered('ok'), delivered('503'), rejected('422'), dead('403')],
  ({ fresh }, take) => ({
    onReply: (reply) => {
      const key = [...reply.matchAll(/"idempotencyKey":"([^"]+)"/g)]
        .map(([, found]) => found ?? '')
        .find((found) => fresh.has(jobIdOf(found)));
      if (key === undefined) return 'pass';
      take(key);
      return 'swallow';
    },
  }),
);

const settleSteps = Object.entries(SETTLING).flatMap(([end, { script: lua, step, plans }]) => {
  const settling = scriptHash(lua);
  const baitOf =
    (verdict: 'swallow' | 'hold'): BaitOf =>
    ({ fresh }, take) => ({
      onCommand: ({ script, args }) => {
        if (script !== settling) return 'pass';
        const jobId = args.find((word, i) => fresh.has(word) && (step === undefined || args[i - 1] === step));
        if (jobId === undefined) return 'pass';
        take(fresh.get(jobId) ?? '');
        return verdict;
      },
    });
  const name = end.replace(' ', '-');
  const isFinal = end === 'delivered' || end === 'dead letter';
  return [
    killStep(`before-${name}`, `before the script that settles a write: ${end}`, plans, baitOf('swallow')),
    killStep(`unread-${name}`, `with that script sent and its reply unread: ${end}`, plans, baitOf('hold'), isFinal),
  ];
});

/** Silent, or slow: the API has the write, and no answer has left it. What dies of a 403 after that is in doubt. */
const UNANSWERED: readonly Plan[] = [
  delivered('hang'),
  delivered('hang-applied'),
  delivered('slow:600'),
  { steps: ['hang-applied', ...dead('403').steps], ending: 'dead' },
];
/** The deadline of an attempt is a second. */
const FRESH_MS = 500;

const afterPost: Fault = {
  name: 'kill-step-after-post',
  title: 'kill -9 of a worker after the POST: the API has the write, and its answer is unread',
  published: PER_STEP,
  batch: BATCH,
  slice: 0,
  options: () => ({ workers: LANES, worker: { maxCrashes: 1000 } }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('after-post');
    let begun = 0;
    let kills = 0;
    const lane = async (): Promise<void> => {
      while (begun < amount) {
        begun += 1;
        const end = performance.now() + KILL_LIMIT_MS;
        let worker: ChaosWorker | undefined;
        while (!worker) {
          if (performance.now() > end) throw new Error(`no worker sent a write within ${KILL_LIMIT_MS} ms`);
          const entry = campaign.ledger.intend(uuid(chance), chance.pick(UNANSWERED));
          await addUntilAcknowledged(campaign.queue, campaign.ledger, [entry]);
          worker = await whoHasSent(campaign, entry.key);
        }
        kills += 1;
        await campaign.killWorker(worker);
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, amount) }, lane));
    return kills;
  },
};

/** The worker that waits for the answer to a write, already killed. The oracle knows it by its API key. */
async function whoHasSent(campaign: Campaign, key: string): Promise<ChaosWorker | undefined> {
  const end = performance.now() + KILL_LIMIT_MS / 4;
  while (performance.now() < end) {
    const send = sendsOf(campaign, key).at(-1);
    const worker = [...campaign.workers].find(({ slot, alive }) => alive && slot === send?.client);
    const isWaiting = send?.status === null && Date.now() - send.at < FRESH_MS;
    if (send && worker && isWaiting && send.at >= worker.startedAt) {
      worker.kill('SIGKILL');
      return worker;
    }
    if (send && !worker) return undefined;
    await sleep(3);
  }
  return undefined;
}

export const killSteps: readonly Fault[] = [beforePost, afterPost, ...settleSteps];
