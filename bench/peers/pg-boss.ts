// pg-boss, fetching without a pause while there is more; a batch is fetched when all of the one before have finished.
import { Pool } from 'undici';
import { inBulks } from '../arms/bullmq.ts';
import { type Send, senderOf } from '../arms/send.ts';
import type { Task } from '../kernel/bench.ts';
import { peer } from './peer.ts';
import { vacuum } from './pg.ts';

interface Boss {
  on(event: 'error', listener: (error: Error) => void): void;
  start(): Promise<unknown>;
  createQueue(name: string): Promise<void>;
  insert(name: string, jobs: { data: Send; retryLimit: number }[]): Promise<unknown>;
  work(name: string, options: object, handler: (jobs: { data: Send }[]) => Promise<unknown>): Promise<string>;
  stop(): Promise<void>;
}

const QUEUE = 'bench';

async function open(connectionString: string): Promise<Boss> {
  const { PgBoss } = peer('pg-boss') as { PgBoss: new (options: object) => Boss };
  const boss = new PgBoss({ connectionString });
  boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await boss.start();
  return boss;
}

export async function fill({ postgresUrl = '', count }: Task): Promise<void> {
  const boss = await open(postgresUrl);
  await boss.createQueue(QUEUE);
  await inBulks(count, (sends) =>
    boss.insert(
      QUEUE,
      sends.map((data) => ({ data, retryLimit: 4 })),
    ),
  );
  await boss.stop();
  await vacuum(postgresUrl);
}

export async function work(task: Task): Promise<void> {
  const { postgresUrl = '', upstreamUrl, concurrency } = task;
  const send = senderOf(task);
  const boss = await open(postgresUrl);
  const pool = new Pool(upstreamUrl, { connections: concurrency, pipelining: 1 });
  const options = { batchSize: concurrency, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
  await boss.work(QUEUE, options, (jobs) => Promise.all(jobs.map(({ data }) => send(pool, data))));
}
