// The load: a producer that keeps a backlog of writes, each with a plan, and repeats what was not answered under its key.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteInput, WriteQueue } from '../../producer/index.ts';
import type { Chance } from './chance.ts';
import type { Entry, Ledger } from './ledger.ts';
import { drawPlan, type Plan } from './plans.ts';
import { until } from './until.ts';

const BATCH = 50;
const LOOK_MS = 15;
const AGAIN_MS = 50;
const SHARE_LIMIT_MS = 120_000;
const SHARE_LOOK_MS = 5;

export interface Load {
  /** How many were acknowledged. */
  readonly added: number;
  /** It pauses at so many, until more are allowed; `total` when it is not set. */
  allowed: number;
  /**
   * Allows the i-th share of so many writes, from 0, and waits until it is on its way: so each of several faults has
   * writes in flight, the last one too.
   * @param behind waits for a share so many before it
   */
  share(i: number, writes: number, behind?: number): Promise<void>;
  /** Resolves when `total` were acknowledged. */
  readonly done: Promise<void>;
  /** Adds no more; what is not answered yet is repeated for a few seconds. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** So many wait or are under way. */
  backlog: number;
  /** No end when left out. */
  total?: number;
  /** No plan that has this step. */
  without?: string;
}

export function startLoad(
  queue: WriteQueue,
  ledger: Ledger,
  random: Chance,
  { backlog, total = Infinity, without }: LoadOptions,
): Load {
  let added = 0;
  let allowed = total;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted && added < total) {
      const waiting = await queue.getJobCounts('wait', 'active').catch(() => undefined);
      const free = waiting ? backlog - (waiting.wait ?? 0) - (waiting.active ?? 0) : BATCH;
      const room = Math.min(free, allowed - added);
      if (room < 1) {
        await sleep(LOOK_MS);
        continue;
      }
      const count = Math.min(room, BATCH);
      const entries = Array.from({ length: count }, () => ledger.intend(uuid(random), drawPlan(random, without)));
      added += await addUntilAcknowledged(queue, ledger, entries, () => stopping.signal.aborted);
    }
  };
  const done = run();
  return {
    get added() {
      return added;
    },
    get allowed() {
      return allowed;
    },
    set allowed(count) {
      allowed = Math.min(count, total);
    },
    share: async (i, writes, behind = 0) => {
      allowed = Math.min((i + 1) * writes, total);
      await until('its share is on its way', () => added > (i - behind) * writes, SHARE_LIMIT_MS, SHARE_LOOK_MS);
    },
    done,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

const STOPPING_LIMIT_MS = 10_000;

/** What a producer does who is told QUEUE_UNAVAILABLE or QUEUE_REFUSED. @returns how many were acknowledged */
export async function addUntilAcknowledged(
  queue: WriteQueue,
  ledger: Ledger,
  entries: readonly Entry[],
  isStopping: () => boolean = () => false,
): Promise<number> {
  let left = [...entries];
  let stoppedAt: number | undefined;
  while (left.length > 0) {
    const answers = await queue.addBulk(
      left.map(({ key, plan }) => ({ name: 'send' as const, data: writeOf(plan), opts: { idempotencyKey: key } })),
    );
    left = left.filter(({ key }, i) => {
      const answer = answers[i];
      if (answer?.status === 'conflict' || answer?.status === 'invalid') throw answer.error;
      if (!answer || !('job' in answer)) return true;
      ledger.acknowledge(key);
      return false;
    });
    if (left.length === 0) break;
    if (isStopping()) stoppedAt ??= performance.now();
    if (stoppedAt !== undefined && performance.now() - stoppedAt > STOPPING_LIMIT_MS) break;
    await sleep(AGAIN_MS);
  }
  return entries.length - left.length;
}

/** A body that says what the API is to do with it. */
export function writeOf({ steps }: Plan): WriteInput {
  return {
    method: 'POST',
    path: '/v1/subscriptions/opt-in',
    body: { phone_number: '+4512345678', sandbox: { plan: steps } },
  };
}

/** As a producer makes them, but of the seed. */
export function uuid(random: Chance): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => random.between(0, 15).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${random.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`;
}
