import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { API_KEY, CHILD, createWorld, eventually, planned } from '../support/world.ts';

test('SIGTERM lets attempts in flight finish, settles them, takes no more and exits 0', async () => {
  const world = await createWorld({ destination: { concurrency: 5 } });
  const worker = await world.spawnWorker();
  const jobs = await Promise.all(Array.from({ length: 12 }, () => world.queue.add('send', planned('slow:400'))));
  await eventually(() => expect(Object.keys(world.sandbox.ledger().keys)).toHaveLength(5));
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(await world.queue.getJobCounts('active', 'wait', 'completed')).toEqual({ active: 0, wait: 7, completed: 5 });
  await world.startWorker();
  for (const job of jobs) {
    await world.until(job.data.idempotencyKey, 'delivered');
    await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1);
  }
});

test('an attempt in flight reaches its own deadline after SIGTERM, and is retried by the next worker', async () => {
  const world = await createWorld({ destination: { timeoutMs: 500 } });
  const worker = await world.spawnWorker();
  const job = await world.queue.add('send', planned('hang'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const { journal } = await world.until(job.data.idempotencyKey, 'retrying');
  expect(journal.attempts).toMatchObject([{ code: 'WAYBILL_DEADLINE', evidence: 'doubt' }]);
});

test('a second signal cuts attempts off: their writes are taken again, and no attempt is lost', async () => {
  const world = await createWorld({ destination: { timeoutMs: 20_000, retry: { maxAttempts: 1 } } });
  const worker = await world.spawnWorker();
  const job = await world.queue.add('send', planned('hang-applied'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  worker.kill('SIGTERM');
  await worker.waitForLine('worker stopping');
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 130, signal: null });
  await world.startWorker();
  const found = await world.until(job.data.idempotencyKey, 'delivered');
  expect(found).toMatchObject({
    journal: { attempts: [], postponed: 1, postponedInDoubt: true, lost: 0 },
    delivery: { attempts: 1, replayed: true },
  });
  await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
});

test('the grace time does the same', async () => {
  const world = await createWorld({ destination: { timeoutMs: 20_000 }, worker: { graceMs: 200 } });
  const worker = await world.startWorker();
  const job = await world.queue.add('send', planned('hang'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  expect(await worker.stop()).toEqual({ forced: true });
  await world.startWorker();
  expect((await world.until(job.data.idempotencyKey, 'delivered')).journal).toMatchObject({
    attempts: [],
    postponed: 1,
  });
});

test('a worker without work stops at once', async () => {
  const world = await createWorld();
  const worker = await world.spawnWorker();
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});

test.skipIf(!existsSync('/dev/full'))(
  'a log that cannot be written costs its lines: writes go on, and SIGTERM is heard',
  async () => {
    const world = await createWorld();
    const full = openSync('/dev/full', 'w');
    const worker = spawn(process.execPath, [CHILD], {
      stdio: ['ignore', full, 'ignore'],
      env: { ...process.env, WORKER_CONFIG: JSON.stringify(world.config), API_KEY },
    });
    onTestFinished(() => void worker.kill('SIGKILL'));
    closeSync(full);
    const job = await world.queue.add('send', planned('503'));
    await world.until(job.data.idempotencyKey, 'delivered');
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
  },
);
