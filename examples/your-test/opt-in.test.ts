// A test of one's own: the real queue and worker, and in the API's place the sandbox, whose ledger knows what was applied.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueue } from 'waybill';
import { assertAppliedOnce, createSandbox, type Sandbox } from 'waybill/testing';
import { createWorker, type RunningWorker } from 'waybill/worker';
import { optIn } from './opt-in.ts';

const connection = process.env.REDIS_URL;
const queue = createQueue('sms-test', { connection });
let sandbox: Sandbox;
let worker: RunningWorker;

beforeAll(async () => {
  // An API on a bad day: it answers 503, or applies the write and loses its answer. The seed makes it the same bad day each time.
  sandbox = await createSandbox({ faults: { '503': 0.4, 'reset-after': 0.4 }, seed: 7 });
  worker = await createWorker(
    {
      log: { level: 'silent' },
      destinations: {
        'sms-test': {
          baseUrl: sandbox.url,
          auth: { header: 'x-api-key', env: 'SMS_API_KEY' },
          retry: { maxAttempts: 20, baseMs: 10 },
        },
      },
    },
    { connection, env: { SMS_API_KEY: 'sandbox-key' } },
  );
});

afterAll(async () => {
  await worker?.stop();
  await queue.obliterate({ force: true });
  await queue.close();
  await sandbox?.close();
});

test('an order is opted in once, however often it is asked for and however badly the API behaves', async () => {
  const order = { id: randomUUID(), phone: '+4512345678' };
  const first = await optIn(queue, order);
  const second = await optIn(queue, order);
  expect([first.duplicate, second.duplicate]).toEqual([false, true]);

  const ending = await queue.waitFor(first, { timeoutMs: 20_000 });
  expect(ending).toMatchObject({ state: 'delivered', verdict: 'applied-once' });
  await assertAppliedOnce(sandbox, first.data.idempotencyKey);
  expect(sandbox.entry(first.data.idempotencyKey)?.sends.length).toBeGreaterThan(1);
}, 30_000);
