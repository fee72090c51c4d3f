// Hands hostile input over: to add(), as an application would, and past it, as a plain BullMQ producer would. Every input
// is answered, in time, and by a code where it is refused.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type BulkAnswer, WaybillError, type WriteQueue } from '../../../producer/index.ts';
import type { Campaign } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { PLAN_OK } from '../plans.ts';
import { drawInput, drawVictim, type Input } from './inputs.ts';
import { drawRaw } from './raw-jobs.ts';

const ANSWER_LIMIT_MS = 10_000;

/** What became of the inputs. */
export interface Added {
  readonly broken: string[];
  /** Of writes for the API that is well, by key: where each goes to. */
  readonly paths: Map<string, string>;
  /** The attacks on writes for the other one, by job id. */
  readonly victims: Map<string, string>;
  readonly rawIds: Set<string>;
  readonly counts: Record<string, number>;
}

/** Where writes for the hostile API go. */
export interface Hostile {
  readonly queue: WriteQueue;
  readonly plain: Queue;
  readonly client: Redis;
}

/** 45 % odd writes, 35 % writes for the hostile API, 20 % garbage. */
export async function addSlice(
  campaign: Campaign,
  added: Added,
  hostile: Hostile,
  random: Chance,
  from: number,
  count: number,
): Promise<void> {
  const odd: Input[] = [];
  const victims: { attack: string; input: Input }[] = [];
  const raw: Promise<void>[] = [];
  for (let serial = from; serial < from + count; serial += 1) {
    const kind = random.next();
    if (kind < 0.45) odd.push(drawInput(random, serial));
    else if (kind < 0.8) victims.push(drawVictim(random, serial));
    else raw.push(addRaw(added, hostile, random, serial));
  }
  await Promise.all(raw);
  const inputs = victims.map(({ input }) => input);
  for (const [i, answer] of (await addAll(added, hostile.queue, inputs)).entries()) {
    if ('job' in answer) added.victims.set(answer.job.id ?? '', victims[i]?.attack ?? '');
    else added.broken.push(`a victim was refused: ${answer.error.message}`);
  }
  for (const answer of await addAll(added, campaign.queue, odd)) {
    if (!('job' in answer)) continue;
    const { idempotencyKey, method, path, body } = answer.job.data;
    const entry = campaign.ledger.intend(idempotencyKey, PLAN_OK, { method, path, body });
    // What the sandbox thinks of it is its own affair.
    entry.endings = ['delivered', 'dead'];
    campaign.ledger.acknowledge(idempotencyKey);
    if (answer.status === 'queued') added.paths.set(idempotencyKey, path);
  }
}

/** Every one is answered by a job or by a WaybillError with a code, in time. */
async function addAll(added: Added, queue: WriteQueue, inputs: readonly Input[]): Promise<BulkAnswer[]> {
  const late = new AbortController();
  const limit = sleep(ANSWER_LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no answer within ${ANSWER_LIMIT_MS} ms`);
  });
  limit.catch(() => {});
  try {
    const answers: BulkAnswer[] = await Promise.race([queue.addBulk(inputs as never), limit]);
    answers.forEach((answer, i) => {
      const what =
        'job' in answer ? answer.status : answer.error instanceof WaybillError ? answer.error.code : 'no code';
      added.counts[what] = (added.counts[what] ?? 0) + 1;
      if (what === 'no code') added.broken.push(`answered without a code: ${describe(inputs[i])}`);
    });
    return answers;
  } catch (error) {
    added.broken.push(`addBulk threw ${String(error)} for one of ${inputs.map(describe).join(' ').slice(0, 2000)}`);
    return [];
  } finally {
    late.abort();
  }
}

async function addRaw(
  { rawIds, counts }: Added,
  { plain, client }: Hostile,
  random: Chance,
  serial: number,
): Promise<void> {
  const { name, data, opts, text, fields } = drawRaw(random, serial);
  try {
    const { id = '' } = await plain.add(name, data, opts);
    rawIds.add(id);
    if (text !== undefined) await client.hset(plain.toKey(id), 'data', text);
    if (fields) await client.hset(plain.toKey(id), fields);
    counts['raw jobs'] = (counts['raw jobs'] ?? 0) + 1;
  } catch {
    counts['raw jobs that BullMQ refuses'] = (counts['raw jobs that BullMQ refuses'] ?? 0) + 1;
  }
}

const describe = (input: unknown): string => {
  try {
    return JSON.stringify(input).slice(0, 300);
  } catch {
    return 'something that has no JSON';
  }
};
