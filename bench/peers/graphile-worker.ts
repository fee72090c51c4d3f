// Graphile Worker, as it is by default and with all of its batching; without log lines.
import { Pool } from 'undici';
import { inBulks } from '../arms/bullmq.ts';
import { type Send, senderOf } from '../arms/send.ts';
import type { Task } from '../kernel/bench.ts';
import { peer } from './peer.ts';
import { vacuum } from './pg.ts';

interface Graphile {
  Logger: new (factory: () => () => void) => unknown;
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: { identifier: string; payload: Send; maxAttempts: number }[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<unknown>;
}

/** As its documentation advises for many quick jobs: a local queue larger than the concurrency, and finishing in batches. */
const BATCHED = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

const silent = ({ Logger }: Graphile): unknown => new Logger(() => () => {});

export async function fill({ postgresUrl = '', count }: Task): Promise<void> {
  const graphile = peer('graphile-worker') as Graphile;
  const utils = await graphile.makeWorkerUtils({ connectionString: postgresUrl, logger: silent(graphile) });
  await utils.migrate();
  await inBulks(count, (sends) =>
    utils.addJobs(sends.map((payload) => ({ identifier: 'send', payload, maxAttempts: 5 }))),
  );
  await utils.release();
  await vacuum(postgresUrl);
}

/** @param task params.batched, params.by */
export async function work(task: Task): Promise<void> {
  const { postgresUrl, upstreamUrl, concurrency, params } = task;
  const send = senderOf(task);
  const graphile = peer('graphile-worker') as Graphile;
  const pool = new Pool(upstreamUrl, { connections: concurrency, pipelining: 1 });
  await graphile.run({
    connectionString: postgresUrl,
    noHandleSignals: true,
    logger: silent(graphile),
    taskList: { send: (payload: Send) => send(pool, payload).then(() => {}) },
    preset: { worker: { concurrentJobs: concurrency, ...(params.batched === true && BATCHED) } },
  });
}
