// The queue is a BullMQ Queue: what people point at one works.
import { type Job, QueueEvents } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned } from '../support/world.ts';

test('QueueEvents tells of a write’s end', async () => {
  const world = await createWorld();
  const events = new QueueEvents(world.name, {
    connection: { url: redisUrl() },
    prefix: world.queue.opts.prefix ?? '',
  });
  onTestFinished(() => events.close());
  await events.waitUntilReady();
  const good = await world.queue.add('send', planned());
  const bad = await world.queue.add('send', planned('400'));
  const ends = [
    good.waitUntilFinished(events, 10_000),
    bad.waitUntilFinished(events, 10_000).catch((error: Error) => error.message),
  ];
  await world.startWorker();
  expect(await Promise.all(ends)).toEqual([expect.objectContaining({ status: 201 }), 'dead: rejected']);
  // By what stands in Redis, as the event is over.
  expect(await good.waitUntilFinished(events, 10_000)).toMatchObject({ status: 201, attempts: 1 });
});

test('getters show writes in every state, and a delivered one’s answer', async () => {
  const world = await createWorld();
  const job = await world.queue.add('send', planned());
  expect(await world.queue.getJobs(['wait'])).toMatchObject([{ id: job.id, name: 'send', data: job.data }]);
  await world.startWorker();
  await world.until(job.data.idempotencyKey, 'delivered');
  const [done] = (await world.queue.getCompleted()) as Job[];
  expect(done?.returnvalue).toMatchObject({ status: 201, attempts: 1, requestId: expect.any(String) as string });
  expect(await world.queue.getWorkersCount()).toBe(1);
});
