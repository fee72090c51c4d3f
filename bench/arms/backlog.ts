// A backlog that stays as long as it is while a worker works it off: a producer tops it up. And a worker that tells its heap.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import type { Task } from '../kernel/bench.ts';
import { type Send, sendOf } from './send.ts';

/** As many as the greatest backlog that is to be topped up soon enough can wait for. */
const BULK = 100;
const BULKS_AT_ONCE = 4;
const POLL_MS = 2;
/** Of the backlog: what may be missing when it counts as filled. */
const SLACK = 0.98;

type AddMany = (sends: Send[]) => Promise<unknown>;

/** Resolves once `count` writes wait, and goes on topping them up. @param task params.waitingIn: the list that they wait in */
export async function feed({ redisUrl, count, params }: Task): Promise<void> {
  const addMany = await (params.queue === 'waybill' ? waybill(redisUrl) : bullmq(redisUrl));
  const redis = new Redis(redisUrl);
  let next = 0;
  const waiting = (): Promise<number> => redis.llen(String(params.waitingIn));
  const addBulk = (): Promise<unknown> => addMany(Array.from({ length: BULK }, () => sendOf(next++)));
  const topUp = async (): Promise<void> => {
    const missing = Math.min(BULKS_AT_ONCE, Math.ceil((count - (await waiting())) / BULK));
    if (missing <= 0) await sleep(POLL_MS);
    else await Promise.all(Array.from({ length: missing }, addBulk));
  };
  while ((await waiting()) < count * SLACK) await topUp();
  const goOn = async (): Promise<never> => {
    for (;;) await topUp();
  };
  // The end of this process is the end of it.
  void goOn();
}

async function waybill(redisUrl: string): Promise<AddMany> {
  const [{ createQueue }, { DESTINATION, itemOf }] = [
    await import('../../producer/index.ts'),
    await import('./waybill.ts'),
  ];
  const queue = createQueue(DESTINATION, { connection: redisUrl });
  return async (sends) => {
    for (const answer of await queue.addBulk(sends.map(itemOf))) if ('error' in answer) throw answer.error;
  };
}

async function bullmq(redisUrl: string): Promise<AddMany> {
  const { openQueue, jobOf } = await import('./bullmq.ts');
  const { queue } = openQueue(redisUrl);
  return (sends) => queue.addBulk(sends.map(jobOf));
}

/** What the heap holds once garbage is gone, told on this signal: the bytes stand in a file of the task's folder then. */
export const HEAP_SIGNAL = 'SIGUSR2';
export const HEAP_FILE = 'heap';

/** @param task params.queue */
export async function work(task: Task): Promise<void> {
  const worker = await (task.params.queue === 'waybill' ? import('./waybill.ts') : import('./bullmq.ts'));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on(HEAP_SIGNAL, () => {
    collect();
    writeFileSync(join(task.dir, HEAP_FILE), String(process.memoryUsage().heapUsed));
  });
  await worker.work(task);
}
