// What the worker is told of writes that the queue itself made dead letters of.
import { UnrecoverableError } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig, retentionOf } from '../../core/config.ts';
import { connect, disconnect, WORKER_OPTIONS } from '../../queue/connection.ts';
import { consume } from '../../queue/consumer.ts';
import { prefixOf } from '../../queue/keys.ts';
import type { DeadLetter } from '../../queue/letter.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

test('a letter is told of once, after it was filed: not where the lock was lost and nothing was written', async () => {
  const world = await createWorld();
  const policy = resolveConfig(world.config).destinations[world.name];
  if (!policy) throw new Error('a world has its destination');
  const redis = new Redis(redisUrl());
  const connection = connect(redisUrl(), WORKER_OPTIONS);
  const told: DeadLetter[] = [];
  const errors: Error[] = [];
  let starts = 0;
  const consumer = consume({
    clock: { agrees: () => true, aheadMs: async () => 0, stop: () => {} },
    destination: world.name,
    client: connection.client,
    workerName: 'test',
    concurrency: 1,
    maxAttempts: 5,
    lockMs: 1000,
    stalledIntervalMs: 200,
    timeoutMs: 100,
    fetchWithinMs: 1000,
    retention: { ...retentionOf(policy), keyTtlMs: policy.idempotency.ttlMs },
    retentionIntervalMs: 60_000,
    handle: async ({ jobId }) => {
      starts += 1;
      if (starts === 1) await redis.del(`${prefixOf(world.name)}:${world.name}:${jobId}:lock`);
      throw new UnrecoverableError('our own code broke');
    },
    onError: (error) => void errors.push(error),
    onFiled: (letter) => {
      told.push(letter);
      throw new Error('a log that cannot be written');
    },
    onTrimmed: () => {},
  });
  onTestFinished(async () => {
    await consumer.close();
    await disconnect(connection);
    redis.disconnect();
  });
  const { data, id = '' } = await world.queue.add('send', planned());
  await eventually(() => expect(errors.map(({ message }) => message).join()).toContain('Missing lock'));
  expect(told).toEqual([]);
  const found = await world.until(data.idempotencyKey, 'dead');
  await eventually(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatchObject({ id: found.letter?.id, jobId: id, reason: 'exhausted' });
  expect(starts).toBe(2);
});
