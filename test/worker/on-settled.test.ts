// The onSettled hook: every write that is settled is told of, at least once.
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { unsaidKey } from '../../queue/keys.ts';
import type { Ending } from '../../worker/index.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const TELLING = fileURLToPath(new URL('../support/telling-worker-child.ts', import.meta.url));
const SHORT = { lockMs: 1000, stalledIntervalMs: 500 };

async function ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(redisUrl());
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** How many writes nobody was told of yet. */
const untold = (world: World): Promise<number> => ask((redis) => redis.zcard(unsaidKey(world.name)));

/** Writes that a worker has delivered long ago, and of which nobody was told. */
async function leftUntold(world: World, count: number): Promise<string[]> {
  const worker = await world.startWorker();
  const answers = await world.queue.addBulk(
    Array.from({ length: count }, () => ({ name: 'send' as const, data: planned('ok') })),
  );
  await eventually(async () => expect(await world.queue.getCompletedCount()).toBe(count), 20_000);
  await worker.stop();
  const ids = answers.map((answer) => ('job' in answer ? (answer.job.id ?? '') : ''));
  await ask((redis) => redis.zadd(unsaidKey(world.name), ...ids.flatMap((id) => [1, id])));
  return ids;
}

test('a delivered and a dead write are told with verdict and request_id, once they stand as such', async () => {
  const world = await createWorld();
  const told: (Ending & { stood: string | undefined })[] = [];
  const onSettled = async (ending: Ending): Promise<void> => {
    told.push({ ...ending, stood: (await world.until(ending.jobId, ['delivered', 'dead'])).state });
  };
  await world.startWorker({}, { onSettled });
  const good = await world.queue.add('send', planned('503', 'ok'));
  const bad = await world.queue.add('send', planned('400'));
  await eventually(() => expect(told).toHaveLength(2));
  expect(told.find(({ jobId }) => jobId === good.id)).toMatchObject({
    destination: world.name,
    idempotencyKey: good.data.idempotencyKey,
    state: 'delivered',
    stood: 'delivered',
    verdict: 'applied-once',
    status: 201,
    attempts: 2,
    requestId: expect.stringMatching(/^req_/) as string,
  });
  expect(told.find(({ jobId }) => jobId === bad.id)).toMatchObject({
    state: 'dead',
    stood: 'dead',
    verdict: 'not-applied',
    reason: 'rejected',
    code: 'VALIDATION_ERROR',
    status: 400,
    letter: `${bad.id}.g0`,
    requestId: expect.stringMatching(/^req_/) as string,
  });
  await eventually(async () => expect(await untold(world)).toBe(0));
});

test('a worker killed in its hook leaves the write to another worker to tell of', async () => {
  const world = await createWorld({ worker: SHORT });
  const child = await world.spawnWorker(TELLING);
  const jobs = [await world.queue.add('send', planned('ok')), await world.queue.add('send', planned('400'))];
  for (const { id } of jobs) await child.waitForLine(new RegExp(`^told (delivered|dead) ${id}$`));
  child.kill('SIGKILL');
  await child.exited;
  const told: string[] = [];
  await world.startWorker({}, { onSettled: ({ jobId, state }) => void told.push(`${state} ${jobId}`) });
  await eventually(() =>
    expect(told.toSorted()).toEqual([`delivered ${jobs[0]?.id}`, `dead ${jobs[1]?.id}`].toSorted()),
  );
  await eventually(async () => expect(await untold(world)).toBe(0));
  // Told again, not sent again.
  for (const { data } of jobs) expect(world.sandbox.entry(data.idempotencyKey)?.sends).toHaveLength(1);
});

test('a hook that throws changes nothing about the write, is logged, and is told again', async () => {
  const world = await createWorld({ worker: SHORT });
  let calls = 0;
  await world.startWorker(
    {},
    {
      onSettled: () => {
        if (++calls === 1) throw new Error('the database is away');
      },
    },
  );
  const job = await world.queue.add('send', planned('ok'));
  await world.until(job.data.idempotencyKey, 'delivered');
  await eventually(() => expect(calls).toBe(2));
  expect(world.log.find(({ err }) => JSON.stringify(err ?? '').includes('the database is away'))).toBeDefined();
  await eventually(async () => expect(await untold(world)).toBe(0));
});

test('stopping waits for a hook that runs', async () => {
  const world = await createWorld();
  let begun = false;
  let ended = false;
  const worker = await world.startWorker(
    {},
    {
      onSettled: async () => {
        begun = true;
        await new Promise((resolve) => setTimeout(resolve, 300));
        ended = true;
      },
    },
  );
  await world.queue.add('send', planned('ok'));
  await eventually(() => expect(begun).toBe(true));
  await worker.stop();
  expect(ended).toBe(true);
  expect(await untold(world)).toBe(0);
});

test('without a hook nothing is noted', async () => {
  const world = await createWorld();
  await world.startWorker();
  const job = await world.queue.add('send', planned('ok'));
  await world.until(job.data.idempotencyKey, 'delivered');
  expect(await untold(world)).toBe(0);
});

test('what was left untold is told as fast as the hook takes it', async () => {
  const world = await createWorld();
  const ids = await leftUntold(world, 250);
  const told = new Set<string>();
  await world.startWorker({ lockMs: 60_000 }, { onSettled: ({ jobId }) => void told.add(jobId) });
  await eventually(() => expect(told.size).toBe(ids.length));
  await eventually(async () => expect(await untold(world)).toBe(0));
});

test('a worker claims no more than it can tell at once, and another worker tells the rest', async () => {
  const world = await createWorld({ destination: { concurrency: 2 } });
  const ids = await leftUntold(world, 20);
  const slow: string[] = [];
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  await world.startWorker(
    { lockMs: 30_000 },
    {
      onSettled: ({ jobId }) => {
        slow.push(jobId);
        return gate;
      },
    },
  );
  await eventually(() => expect(slow).toHaveLength(2));
  expect(await ask((redis) => redis.zcount(unsaidKey(world.name), '(1', '+inf'))).toBe(2);
  const quick: string[] = [];
  await world.startWorker({ lockMs: 30_000 }, { onSettled: ({ jobId }) => void quick.push(jobId) });
  await eventually(() => expect(quick).toHaveLength(18));
  goOn();
  await eventually(async () => expect(await untold(world)).toBe(0));
  expect([...slow, ...quick].toSorted()).toEqual(ids.toSorted());
});

test('a hook that never returns keeps its place, is logged once, and holds up no stop; another worker tells it', async () => {
  const world = await createWorld({ destination: { concurrency: 2 } });
  await leftUntold(world, 6);
  const hanging: string[] = [];
  const worker = await world.startWorker(
    { lockMs: 500, graceMs: 60_000 },
    {
      onSettled: ({ jobId }) => {
        hanging.push(jobId);
        return new Promise(() => {});
      },
    },
  );
  const complaints = (): unknown[] =>
    world.log.filter(({ err }) => (err as Error | undefined)?.message.includes('longer than 500 ms'));
  await eventually(() => expect(complaints()).toHaveLength(2));
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(hanging).toHaveLength(2);
  expect(complaints()).toHaveLength(2);
  expect(await worker.stop()).toEqual({ forced: false });
  const told = new Set<string>();
  await world.startWorker({ lockMs: 500 }, { onSettled: ({ jobId }) => void told.add(jobId) });
  await eventually(() => expect([...told]).toEqual(expect.arrayContaining(hanging)));
  await eventually(async () => expect(await untold(world)).toBe(0));
});

test('a stop whose writes are all settled is a clean one, whatever a hook does; what it lets go of stays noted', async () => {
  const world = await createWorld();
  let begun = false;
  const worker = await world.startWorker(
    { lockMs: 30_000, graceMs: 200 },
    {
      onSettled: () => {
        begun = true;
        return new Promise(() => {});
      },
    },
  );
  await world.queue.add('send', planned('ok'));
  await eventually(() => expect(begun).toBe(true));
  expect(await worker.stop()).toEqual({ forced: false });
  expect(await untold(world)).toBe(1);
});

test('a hook that fails is not called again and again without a pause', async () => {
  const world = await createWorld({ destination: { concurrency: 2 } });
  await leftUntold(world, 20);
  let calls = 0;
  await world.startWorker(
    { lockMs: 60_000 },
    {
      onSettled: () => {
        calls++;
        throw new Error('the database is away');
      },
    },
  );
  await eventually(() => expect(calls).toBe(2));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(calls).toBe(2);
});

test('a write that is settled while the worker stops is told', async () => {
  const world = await createWorld();
  const told: string[] = [];
  const worker = await world.startWorker({}, { onSettled: ({ jobId }) => void told.push(jobId) });
  const job = await world.queue.add('send', planned('slow:400'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  await worker.stop();
  expect(told).toEqual([job.id]);
  expect(await untold(world)).toBe(0);
});

test('a delivered write that a tool moved back into the queue is not told again', async () => {
  const world = await createWorld();
  const told: string[] = [];
  await world.startWorker({}, { onSettled: ({ jobId }) => void told.push(jobId) });
  const job = await world.queue.add('send', planned('ok'));
  await eventually(async () => expect([told, await untold(world)]).toEqual([[job.id], 0]));
  const moved = await world.queue.getJob(job.id ?? '');
  const finishedOn = moved?.finishedOn ?? 0;
  await moved?.retry('completed');
  await eventually(async () => {
    const again = await world.queue.getJob(job.id ?? '');
    expect(again?.finishedOn).toBeGreaterThan(finishedOn);
  });
  expect(await untold(world)).toBe(0);
  expect(told).toEqual([job.id]);
});

test('a note whose write is kept no more is dropped, and that is logged', async () => {
  const world = await createWorld();
  await ask((redis) => redis.zadd(unsaidKey(world.name), 1, 'kept-no-more'));
  await world.startWorker({}, { onSettled: () => {} });
  await eventually(async () => expect(await untold(world)).toBe(0));
  await eventually(() => expect(JSON.stringify(world.log)).toContain('kept-no-more'));
});
