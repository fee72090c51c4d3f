// Bee-Queue: Redis, no event stream, finished jobs kept (it knows no age).
import { Pool } from 'undici';
import { inBulks } from '../arms/bullmq.ts';
import { type Send, senderOf } from '../arms/send.ts';
import type { Task } from '../kernel/bench.ts';
import { peer } from './peer.ts';

interface Queue {
  ready(): Promise<unknown>;
  createJob(data: Send): unknown;
  saveAll(jobs: unknown[]): Promise<Map<unknown, Error>>;
  process(concurrency: number, handler: (job: { data: Send }) => Promise<unknown>): void;
  close(): Promise<void>;
}

function open(url: string, isWorker: boolean): Queue {
  const BeeQueue = peer('bee-queue') as new (name: string, settings: object) => Queue;
  return new BeeQueue('bench', { redis: { url }, isWorker, getEvents: false, sendEvents: false, storeJobs: false });
}

export async function fill({ redisUrl, count }: Task): Promise<void> {
  const queue = open(redisUrl, false);
  await queue.ready();
  await inBulks(count, async (sends) => {
    const [failed] = (await queue.saveAll(sends.map((send) => queue.createJob(send)))).values();
    if (failed) throw failed;
  });
  await queue.close();
}

export async function work(task: Task): Promise<void> {
  const { redisUrl, upstreamUrl, concurrency } = task;
  const send = senderOf(task);
  const queue = open(redisUrl, true);
  const pool = new Pool(upstreamUrl, { connections: concurrency, pipelining: 1 });
  await queue.ready();
  queue.process(concurrency, ({ data }) => send(pool, data));
}
