// Lua does not roll back: whatever a settling script refuses, it refuses before its first write.
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyJournal } from '../../core/journal.ts';
import { getLetter } from '../../queue/dead-letters.ts';
import { deadLetter } from '../../queue/letter.ts';
import { letterId, prefixOf, rowKeys } from '../../queue/keys.ts';
import type { WaybillBackend } from '../../queue/backend.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned, type World } from '../support/world.ts';

const TOKEN = 'token-of-this-test';

/** A write that a worker has taken, and a backend to settle it with. */
async function taken(world: World): Promise<{ job: Job; backend: WaybillBackend; redis: Redis }> {
  const added = await world.queue.add('send', planned());
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const backend = world.queue.getBackend() as unknown as WaybillBackend;
  (backend as unknown as { queue: { opts: { lockDuration: number } } }).queue.opts.lockDuration = 30_000;
  await backend.moveToActive(TOKEN, 'w');
  backend.letterOf = () =>
    deadLetter(
      {
        destination: world.name,
        jobId: added.id ?? '',
        enqueuedAt: 1,
        reason: 'rejected',
        because: 'x',
        lost: 0,
        journal: emptyJournal(),
        write: added.data,
      },
      { keyTtlMs: 86_400_000, timeoutMs: 1000 },
      Date.now(),
    );
  return { job: added as unknown as Job, backend, redis };
}

/** Everything that stands under the destination's prefix. */
async function dump(redis: Redis, name: string): Promise<Record<string, string>> {
  const keys = (await redis.keys(`${prefixOf(name)}:*`)).toSorted();
  const values = await Promise.all(keys.map(async (key) => (await redis.dumpBuffer(key))?.toString('base64') ?? ''));
  return Object.fromEntries(keys.map((key, i) => [key, values[i] ?? '']));
}

type Settle = (backend: WaybillBackend, job: Job) => Promise<unknown>;
const delivery = { status: 201, deliveredAt: 1, durationMs: 1, attempts: 1 };
const deliver: Settle = (backend, job) => backend.moveToCompleted(job, delivery, false, TOKEN, true);
const SETTLINGS: [string, Settle, object][] = [
  ['dead-lettered', (backend, job) => backend.moveToFailed(job, 'dead: rejected', false, TOKEN, true), {}],
  ['delivered', deliver, {}],
  // Those that a flow's producer added are finished by a script of BullMQ's.
  ['delivered as a child of another', deliver, { parentKey: 'x:y', parent: '{"id":"y","queueKey":"x"}' }],
  ['retried', (backend, job) => backend.moveToDelayed(job.id ?? '', 1, 1000, TOKEN, { fetchNext: true }), {}],
];

describe.each(SETTLINGS)('a write is not %s, and nothing is written,', (_how, settle, fields) => {
  test.each<[string, (redis: Redis, world: World, job: Job) => Promise<unknown>, object]>([
    ['its lock has run out', (redis, world, job) => redis.del(`${world.queue.toKey(job.id ?? '')}:lock`), { code: -2 }],
    [
      'its lock is another worker’s',
      (redis, world, job) => redis.set(`${world.queue.toKey(job.id ?? '')}:lock`, 'another'),
      { code: -6 },
    ],
    [
      'it is active no more',
      (redis, world, job) => redis.lrem(world.queue.toKey('active'), 1, job.id ?? ''),
      { code: -3 },
    ],
    ['it is gone', (redis, world, job) => redis.del(world.queue.toKey(job.id ?? '')), { code: -1 }],
  ])('when %s', async (_when, spoil, error) => {
    const world = await createWorld();
    const { job, backend, redis } = await taken(world);
    if (Object.keys(fields).length > 0) await redis.hset(world.queue.toKey(job.id ?? ''), fields);
    await world.queue.add('send', planned());
    await spoil(redis, world, job);
    const before = await dump(redis, world.name);
    await expect(settle(backend, job)).rejects.toMatchObject(error);
    expect(await dump(redis, world.name)).toEqual(before);
  });
});

test('settling a dead write writes the letter, its rows and the tombstone, and releases the lock', async () => {
  const world = await createWorld();
  const { job, backend, redis } = await taken(world);
  await backend.moveToFailed(job, 'dead: rejected', false, TOKEN, false);
  const id = letterId(job.id ?? '', 0);
  expect(await redis.zscore(rowKeys(world.name).byTime, id)).not.toBeNull();
  expect(await world.queue.getJobState(job.id ?? '')).toBe('failed');
  expect(await redis.exists(`${world.queue.toKey(job.id ?? '')}:lock`)).toBe(0);
  await expect(backend.moveToFailed(job, 'dead: rejected', false, TOKEN, false)).rejects.toMatchObject({ code: -2 });
});

test('a letter that stands under its id already is left alone: the new one is the next generation', async () => {
  const world = await createWorld();
  const { job, backend, redis } = await taken(world);
  const letterKey = (generation: number): string =>
    `${prefixOf(world.name)}:${world.name}.dead:${letterId(job.id ?? '', generation)}`;
  await redis.hset(letterKey(0), 'data', 'an older letter');
  await backend.moveToFailed(job, 'dead: rejected', false, TOKEN, false);
  expect(await redis.hget(letterKey(0), 'data')).toBe('an older letter');
  expect(await getLetter(world.reader, world.name, letterId(job.id ?? '', 1))).toMatchObject({ jobId: job.id });
  expect(JSON.parse((await redis.hget(world.queue.toKey(job.id ?? ''), 'data')) ?? '')).toMatchObject({
    letter: letterId(job.id ?? '', 1),
  });
});

test.each(['x{', 'null', '[]', '{"id":5}'])(
  'a corrupt parent (%s) cannot break the settling script in the middle',
  async (parent) => {
    const world = await createWorld();
    const { job, backend, redis } = await taken(world);
    await redis.hset(world.queue.toKey(job.id ?? ''), 'parent', parent, 'parentKey', 'x:y');
    await backend.moveToFailed(job, 'dead: rejected', false, TOKEN, false);
    expect(await world.queue.getJobState(job.id ?? '')).toBe('failed');
  },
);
