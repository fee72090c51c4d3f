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

/** How many writes nobody was told of yet. */
async function untold(world: World): Promise<number> {
  const redis = new Redis(redisUrl());
  try {
    return await redis.zcard(unsaidKey(world.name));
  } finally {
    redis.disconnect();
  }
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
