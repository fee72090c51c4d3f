// A producer: adds the same writes by BullMQ's own queue and by Waybill's, one after another, many at once, or in bulks.
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createQueue } from '../../producer/index.ts';
import type { Sample, Task } from '../kernel/bench.ts';
import { QUEUE } from './bullmq.ts';
import { type Send, sendOf } from './send.ts';
import { DESTINATION, itemOf } from './waybill.ts';

/** Of the count, before the window. */
const WARM_UP_SHARE = 0.25;

interface Producer {
  one(send: Send): Promise<unknown>;
  many(sends: Send[]): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Adds `count` writes. @param task params.queue: `bullmq` or `waybill`; params.lanes at once, params.each in each call */
export async function add({ redisUrl, count, params }: Task): Promise<Sample> {
  const producer = params.queue === 'waybill' ? waybill(redisUrl) : bullmq(redisUrl);
  const observer = new Redis(redisUrl);
  const redisUs = async (): Promise<number> => {
    const info = await observer.info('cpu');
    const seconds = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
  };
  const each = Number(params.each);
  const warmUp = Math.ceil((count * WARM_UP_SHARE) / each) * each;
  const sends = Array.from({ length: warmUp + count }, (_, n) => sendOf(n));
  const run = async (from: number, to: number): Promise<void> => {
    let next = from;
    const lane = async (): Promise<void> => {
      while (next < to) {
        const at = next;
        next = Math.min(to, at + each);
        if (each === 1) await producer.one(sends[at] as Send);
        else await producer.many(sends.slice(at, next));
      }
    };
    await Promise.all(Array.from({ length: Number(params.lanes) }, lane));
  };
  await run(0, warmUp);
  const redisBefore = await redisUs();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run(warmUp, warmUp + count);
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sample = {
    rate: (count / tookMs) * 1000,
    producerUs: (user + system) / count,
    redisUs: ((await redisUs()) - redisBefore) / count,
  };
  observer.disconnect();
  await producer.close();
  return sample;
}

function bullmq(redisUrl: string): Producer {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(QUEUE, { connection });
  return {
    one: (send) => {
      const { name, data, opts } = jobOf(send);
      return queue.add(name, data, opts);
    },
    many: (sends) => queue.addBulk(sends.map(jobOf)),
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}

function waybill(redisUrl: string): Producer {
  const queue = createQueue(DESTINATION, { connection: redisUrl });
  return {
    one: (send) => {
      const { name, data } = itemOf(send);
      return queue.add(name, data);
    },
    many: async (sends) => {
      for (const answer of await queue.addBulk(sends.map(itemOf))) if ('error' in answer) throw answer.error;
    },
    close: () => queue.close(),
  };
}

/** The id as long as Waybill's. */
export const jobOf = (send: Send) => ({
  name: 'send',
  data: { method: 'POST', ...send },
  opts: { jobId: `w${send.idempotencyKey.replaceAll('-', '').slice(-22)}`, attempts: 5 },
});
