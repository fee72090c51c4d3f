// The negative control: the worker that everybody writes. UnrecoverableError on 4xx, and a dead letter added in
// `worker.on('failed')`. It must fail the kill tests and the campaigns, or they see nothing.
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const {
  url,
  queueName,
  api,
  apiKey = 'sandbox-key',
  lockMs = 2000,
  stalledIntervalMs = 500,
  retry: { baseMs = 20, capMs = 30_000, jitter = 0.2 } = {},
} = JSON.parse(process.env.WORKER_CONFIG ?? '{}') as {
  url: string;
  queueName: string;
  api: string;
  apiKey?: string;
  lockMs?: number;
  stalledIntervalMs?: number;
  retry?: { baseMs?: number; capMs?: number; jitter?: number };
};
const TIMEOUT_MS = 1000;
const connection = new Redis(url, { maxRetriesPerRequest: null });
connection.on('error', () => {});
const prefix = `{waybill:${queueName}}`;
const dead = new Queue(`${queueName}.dead`, { connection, prefix });
const worker = new Worker(
  queueName,
  async (job) => {
    const { path, body, idempotencyKey } = job.data as { path: string; body: string; idempotencyKey: string };
    const headers = { 'content-type': 'application/json', 'x-api-key': apiKey, 'idempotency-key': idempotencyKey };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(api + path, { method: 'POST', body, headers, signal });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429)
      throw new UnrecoverableError(`HTTP ${answer.status}`);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  },
  {
    connection,
    prefix,
    concurrency: 20,
    lockDuration: lockMs,
    stalledInterval: stalledIntervalMs,
    settings: {
      backoffStrategy: (made) => Math.round(Math.min(baseMs * 2 ** (made - 1), capMs) * (1 + jitter * Math.random())),
    },
  },
);
worker.on('failed', (job, error) => {
  const isLast = error instanceof UnrecoverableError || (job?.attemptsMade ?? 0) >= (job?.opts.attempts ?? 1);
  if (isLast) void dead.add('dead-letter', { write: job?.data as unknown, error: error.message });
});
worker.on('error', () => {});
process.on('SIGTERM', () => void worker.close().then(() => process.exit(0)));
process.on('disconnect', () => process.exit(1));
await worker.waitUntilReady();
process.stdout.write('worker started\n');
process.send?.('ready');
