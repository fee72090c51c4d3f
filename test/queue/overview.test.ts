// All destinations at a glance, on queues that hold everything at once.
import { expect, test } from 'vitest';
import type { Overview as OverviewOfContract } from '../../dashboard/api/contract/overview.ts';
import { overview } from '../../dashboard/api/contract/overview.ts';
import { resolveConfig } from '../../core/config.ts';
import { letters } from '../../queue/dead-letters.ts';
import { overviewOf } from '../../queue/overview.ts';
import { pauseDestination } from '../../queue/pause.ts';
import { createWorld, planned } from '../support/world.ts';

const DAY_MS = 86_400_000;

test('tells what stands where, what went on, what retention will take and what Redis holds', async () => {
  const world = await createWorld();
  const worker = await world.startWorker();
  for (const plan of ['ok', 'ok', '422', '422']) {
    const { data } = await world.queue.add('send', planned(plan));
    await world.until(data.idempotencyKey, plan === 'ok' ? 'delivered' : 'dead');
  }
  const retrying = await world.queue.add('send', planned('429:retry-after=60'));
  await world.until(retrying.data.idempotencyKey, 'retrying');
  await world.queue.add('send', planned(), { delay: 600_000 });
  await worker.stop(AbortSignal.timeout(2000));
  await world.queue.add('send', planned());
  await pauseDestination(world.reader, world.name, { by: 'ann', reason: 'the API is being moved' });

  const config = resolveConfig(world.config);
  const answer: OverviewOfContract = await overviewOf(world.reader, config, { minutes: 5, only: world.name });
  expect(overview.parse(answer)).toEqual(answer);
  const [oldest] = await Array.fromAsync(letters(world.reader, world.name));
  const [row, ...others] = answer.destinations;
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    destination: world.name,
    configured: true,
    workers: 0,
    paused: true,
    pausedBy: { by: 'ann', reason: 'the API is being moved', at: expect.any(Number) },
    waiting: 1,
    oldestWaitingMs: expect.any(Number),
    active: 0,
    scheduled: 1,
    retrying: 1,
    delayed: 2,
    dead: 2,
    oldestDeadMs: expect.any(Number),
    replayed: 0,
    discarded: 0,
    delivered: 2,
    retention: {
      deadMs: 90 * DAY_MS,
      handledMs: 30 * DAY_MS,
      trimmedDead: 0,
      nextTrimAt: (oldest?.deadAt ?? 0) + 90 * DAY_MS,
      deadBytes: expect.any(Number),
      tombstoneBytes: expect.any(Number),
    },
  });
  expect(row?.minutes).toHaveLength(5);
  expect(row?.minutes.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(2);
  expect(row?.minutes.reduce((sum, { dead }) => sum + dead, 0)).toBe(2);
  expect(answer.redis).toMatchObject({ version: expect.stringMatching(/^\d+\./), usedBytes: expect.any(Number) });
});

test('a destination that the configuration lacks has no times of retention', async () => {
  const world = await createWorld();
  await world.queue.add('send', planned());
  const { destinations } = await overviewOf(world.reader, undefined, { minutes: 5, only: world.name });
  expect(destinations).toMatchObject([{ configured: false, paused: false, waiting: 1, retention: { trimmedDead: 0 } }]);
  expect(destinations[0]?.retention).not.toHaveProperty('nextTrimAt');
});
