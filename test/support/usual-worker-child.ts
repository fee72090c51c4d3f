// The negative control: the worker that everybody writes. UnrecoverableError on 4xx, and a dead letter added in
// `worker.on('failed')`. It must fail the kill tests, or they see nothing.
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { url, queueName, api } = JSON.parse(process.env.WORKER_CONFIG ?? '{}') as {
  url: string;
  queueName: string;
  api: string;
};
const connection = new Redis(url, { maxRetriesPerRequest: null });
const prefix = `{waybill:${queueName}}`;
const dead = new Queue(`${queueName}.dead`, { connection, prefix });
const worker = new Worker(
  queueName,
  async (job) => {
    const { path, body, idempotencyKey } = job.data as { path: string; body: string; idempotencyKey: string };
    const headers = {
      'content-type': 'application/json',
      'x-api-key': 'sandbox-key',
      'idempotency-key': idempotencyKey,
    };
    const answer = await fetch(api + path, { method: 'POST', body, headers });
    if (answer.status >= 400 && answer.status < 500) throw new UnrecoverableError(`HTTP ${answer.status}`);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  },
  { connection, prefix, lockDuration: 2000, stalledInterval: 500 },
);
worker.on(
  'failed',
  (job, error) => void dead.add('dead-letter', { write: job?.data as unknown, error: error.message }),
);
worker.on('error', () => {});
await worker.waitUntilReady();
process.stdout.write('worker started\n');
