// B, C and D: BullMQ's own worker, with what one writes around it. Delivered jobs are kept as long as Waybill keeps its own.
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import type { Task } from '../kernel/bench.ts';
import { arrive } from './open-loop.ts';
import { dispatch, headersOf, type Send, sendOf } from './send.ts';

export const QUEUE = 'bench';
/** Waybill keeps a delivered write for the 24 h of its key, and has BullMQ keep it for 20 rounds of its retention more. */
export const KEEP_S = 24 * 3600 + 20 * 60;
const BULK = 200;
const BULKS_AT_ONCE = 4;

export async function fill({ redisUrl, count }: Task): Promise<void> {
  const { queue, close } = openQueue(redisUrl);
  await inBulks(count, (sends) => queue.addBulk(sends.map(jobOf)));
  await close();
}

export const jobOf = (send: Send) => ({
  name: 'send',
  data: { method: 'POST', ...send },
  opts: { jobId: `k${send.idempotencyKey}`, attempts: 5 },
});

export function openQueue(redisUrl: string): { queue: Queue; close: () => Promise<void> } {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(QUEUE, { connection });
  return {
    queue,
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}

/** @param add the next ones of `count`, a few calls at a time */
export async function inBulks(count: number, add: (sends: Send[]) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next = Math.min(count, from + BULK);
      await add(Array.from({ length: next - from }, (_, i) => sendOf(from + i)));
    }
  };
  await Promise.all(Array.from({ length: BULKS_AT_ONCE }, lane));
}

export async function produce(task: Task): Promise<number> {
  const { queue, close } = openQueue(task.redisUrl);
  await queue.waitUntilReady();
  const firstAtMs = await arrive(task, (send) => {
    const { name, data, opts } = jobOf(send);
    return queue.add(name, data, opts);
  });
  await close();
  return firstAtMs;
}

/** @param task params.by: `nothing` (B), `dispatch` (C) or `fetch` (D) */
export async function work({ redisUrl, upstreamUrl, concurrency, params }: Task): Promise<void> {
  const worker = new Worker<Send>(QUEUE, processorOf(params.by, upstreamUrl, concurrency), {
    connection: new Redis(redisUrl, { maxRetriesPerRequest: null }),
    concurrency,
    removeOnComplete: { age: KEEP_S },
    settings: { backoffStrategy: () => Number(params.backoffMs ?? 1000) },
  });
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await worker.waitUntilReady();
}

function processorOf(by: unknown, upstreamUrl: string, connections: number): (job: { data: Send }) => Promise<unknown> {
  if (by === 'nothing') return async () => undefined;
  if (by === 'dispatch') {
    const pool = new Pool(upstreamUrl, { connections, pipelining: 1 });
    return ({ data }) => dispatch(pool, data);
  }
  return async ({ data }) => {
    const answer = await fetch(upstreamUrl + data.path, { method: 'POST', headers: headersOf(data), body: data.body });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  };
}
