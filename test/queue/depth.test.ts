// How old what waits is: also what is not next.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type Depth, readDepth } from '../../queue/depth.ts';
import { prefixOf } from '../../queue/keys.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned, type World } from '../support/world.ts';

const OLD_MS = 3_600_000;

async function read(world: World): Promise<Depth> {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  return readDepth(redis, world.name);
}

/** Added, as far as Redis knows, an hour ago. */
async function addOld(world: World, options: { priority?: number } = {}): Promise<string> {
  const { id = '' } = await world.queue.add('send', planned(), options);
  const redis = new Redis(redisUrl());
  await redis.hset(`${prefixOf(world.name)}:${world.name}:${id}`, 'timestamp', Date.now() - OLD_MS);
  redis.disconnect();
  return id;
}

const addNew = async (world: World, count: number, options: { priority?: number } = {}): Promise<void> => {
  for (let i = 0; i < count; i += 1) await world.queue.add('send', planned(), options);
};

test('nothing waits: 0', async () => {
  expect(await read(await createWorld())).toMatchObject({ waiting: 0, oldestWaitingMs: 0 });
});

test('a low priority that all others pass counts with its age', async () => {
  const world = await createWorld();
  await addOld(world, { priority: 100 });
  await addNew(world, 30, { priority: 1 });
  const { waiting, oldestWaitingMs } = await read(world);
  expect(waiting).toBe(31);
  expect(oldestWaitingMs).toBeGreaterThanOrEqual(OLD_MS);
});

test('an old write that joined the line as its last, as a retry does, counts with its age', async () => {
  const world = await createWorld();
  await addNew(world, 30);
  await addOld(world);
  await addNew(world, 5);
  expect((await read(world)).oldestWaitingMs).toBeGreaterThanOrEqual(OLD_MS);
});

test('a write behind the next one counts with its age', async () => {
  const world = await createWorld();
  await addNew(world, 1);
  await addOld(world);
  await addNew(world, 30);
  expect((await read(world)).oldestWaitingMs).toBeGreaterThanOrEqual(OLD_MS);
});
