// BullMQ's own backend on PostgreSQL: the arm C with another store.
import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { Pool } from 'undici';
import { inBulks, jobOf, KEEP_S, QUEUE } from '../arms/bullmq.ts';
import { dispatch, type Send } from '../arms/send.ts';
import type { Task } from '../kernel/bench.ts';
import { vacuum } from './pg.ts';

// BullMQ requires `pg` by its name, and finds it by the NODE_PATH that the kernel gives its processes.
const onPostgres = (connectionString = '') => ({ connection: { connectionString, migrate: true } as never });

export async function fill({ postgresUrl, count }: Task): Promise<void> {
  const queue = new Queue(QUEUE, onPostgres(postgresUrl), createPostgresBackend as never);
  await queue.waitUntilReady();
  await inBulks(count, (sends) => queue.addBulk(sends.map(jobOf)));
  await queue.close();
  await vacuum(postgresUrl ?? '');
}

export async function work({ postgresUrl, upstreamUrl, concurrency }: Task): Promise<void> {
  const pool = new Pool(upstreamUrl, { connections: concurrency, pipelining: 1 });
  const options = { ...onPostgres(postgresUrl), concurrency, removeOnComplete: { age: KEEP_S } };
  const send = ({ data }: { data: Send }): Promise<number> => dispatch(pool, data);
  const worker = new Worker<Send>(QUEUE, send, options, createPostgresBackend as never);
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await worker.waitUntilReady();
}
