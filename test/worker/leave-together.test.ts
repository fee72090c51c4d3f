// Delivered writes of one turn of the event loop are settled by one call of one script.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { jobIdOf } from '../../core/write.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

const WRITES = 20;
/** More than one script of BullMQ's promotes. */
const DUE = 3000;

test('what is wrong with one of them keeps none of the others; it ends once it is mended', async () => {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const world = await createWorld({ sandbox: { latencyMs: 400 } });
  await world.startWorker({ lockMs: 1000, stalledIntervalMs: 500 });
  const keys = Array.from({ length: WRITES }, () => randomUUID());
  const [damaged = '', ...others] = keys;
  await world.queue.addBulk(
    keys.map((idempotencyKey) => ({ name: 'send' as const, data: { ...planned(), idempotencyKey } })),
  );
  await eventually(() => expect(Object.keys(world.sandbox.ledger().keys)).toHaveLength(WRITES));
  const lock = `{waybill:${world.name}}:${world.name}:${jobIdOf(damaged)}:lock`;
  await redis.multi().del(lock).lpush(lock, 'no lock').exec();

  for (const key of others) await world.until(key, 'delivered');
  expect(others.map((key) => world.sandbox.entry(key)?.sends.length)).toEqual(others.map(() => 1));
  expect((await world.until(damaged, 'sending')).state).toBe('sending');

  // Its own: when it is settled, and when it is settled once more.
  expect(world.log.filter(({ msg }) => msg === 'queue error').length).toBeLessThanOrEqual(2);
  await redis.del(lock);
  await world.until(damaged, 'delivered');
  expect(world.sandbox.entry(damaged)?.sends.filter(({ applied }) => applied)).toHaveLength(1);
});

test('where thousands come due while many are settled each is delivered, and sent once', async () => {
  const world = await createWorld({ sandbox: { latencyMs: 100 }, destination: { concurrency: 200 } });
  const some = (count: number, opts: object) =>
    Array.from({ length: count }, () => ({ name: 'send' as const, data: planned(), opts }));
  await world.queue.addBulk([...some(200, {}), ...some(DUE, { delay: 50 })]);
  await world.startWorker();
  await eventually(async () => expect(await world.queue.getCompletedCount()).toBe(DUE + 200), 30_000);
  expect(Object.values(world.sandbox.ledger().keys).map(({ sends }) => sends.length)).toEqual(
    Array.from({ length: DUE + 200 }, () => 1),
  );
});
