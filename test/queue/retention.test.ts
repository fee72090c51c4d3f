// Nothing grows for ever: what is past its age or count goes, with everything that hangs on it, and nothing else does.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createSandbox } from '../../dev/testing.ts';
import { createQueue } from '../../producer/index.ts';
import { audit } from '../../queue/acts.ts';
import type { WaybillBackend } from '../../queue/backend.ts';
import { countLetters, letters } from '../../queue/dead-letters.ts';
import { find } from '../../queue/find.ts';
import { prefixOf } from '../../queue/keys.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import { Reader } from '../../queue/reader.ts';
import { type RetentionOptions, round, scrub } from '../../queue/retention.ts';
import { createWorker } from '../../worker/index.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const KEEP: RetentionOptions = {
  deliveredMs: HOUR_MS,
  deadMs: HOUR_MS,
  deadMax: 1_000_000,
  handledMs: HOUR_MS,
  auditMs: HOUR_MS,
  keyTtlMs: 0,
};
const ANN = { by: 'ann', reason: 'a test' };

let redis: Redis;
beforeEach(() => {
  redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
});

const backendOf = (world: World): WaybillBackend =>
  world.reader.queue(world.name).getBackend() as unknown as WaybillBackend;
const trim = (world: World, retention: Partial<RetentionOptions>) =>
  round(backendOf(world), { ...KEEP, ...retention }, 0);

async function settled(world: World, state: 'dead' | 'delivered', ...plan: string[]) {
  const job = await world.queue.add('send', planned(...plan));
  return world.until(job.data.idempotencyKey, state);
}

/** Every key of a destination but those that any used queue has. */
async function keysOf(world: World): Promise<string[]> {
  const keys = await redis.keys(`${prefixOf(world.name)}:*`);
  return keys
    .filter((key) => !/:(meta|events|id|pc|marker|stalled-check|.*\.(retention|audit|minute:\d+))$/.test(key))
    .toSorted();
}

describe('a round of retention', () => {
  test('takes an open dead letter past its age with its rows and its tombstone, and writes that down', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const { letter, requestIds } = await settled(world, 'dead', '503', '401');
    await worker.stop();
    expect(requestIds).toHaveLength(2);
    expect(await trim(world, {})).toEqual({ open: 0, handled: 0, delivered: 0 });
    await eventually(async () =>
      expect(await trim(world, { deadMs: 0 })).toEqual({ open: 1, handled: 0, delivered: 0 }),
    );
    expect(await keysOf(world)).toEqual([]);
    expect(await Array.fromAsync(audit(world.reader, world.name))).toMatchObject([
      { act: 'trim', by: 'retention', count: 1, first: letter?.id, last: letter?.id },
    ]);
    expect(await redis.hget(`${prefixOf(world.name)}:${world.name}.retention`, 'trimmed')).toBe('1');
  });

  test('takes the oldest open dead letters beyond their count', async () => {
    const world = await createWorld();
    await world.startWorker();
    const first = await settled(world, 'dead', '401');
    const second = await settled(world, 'dead', '401');
    expect(await trim(world, { deadMax: 1 })).toMatchObject({ open: 1 });
    expect(await find(world.reader, first.jobId, world.name)).toEqual([]);
    expect(await find(world.reader, second.jobId, world.name)).toMatchObject([{ state: 'dead' }]);
  });

  test('takes a discarded one with its tombstone; of a replayed one only the letter, never the write', async () => {
    const world = await createWorld();
    await world.startWorker();
    const discarded = await settled(world, 'dead', '401');
    const replayed = await settled(world, 'dead', '401', 'ok');
    await discard(world.reader, world.name, discarded.letter?.id ?? '', ANN);
    await replay(world.reader, world.name, replayed.letter?.id ?? '', ANN);
    await world.until(replayed.jobId, 'delivered');
    await eventually(async () => expect(await trim(world, { handledMs: 0 })).toMatchObject({ handled: 2 }));
    expect(await find(world.reader, discarded.jobId, world.name)).toEqual([]);
    expect(await find(world.reader, replayed.jobId, world.name)).toMatchObject([{ state: 'delivered', lineage: [] }]);
  });

  test('takes delivered tombstones past their age, also where nothing is delivered any more', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    await settled(world, 'delivered', 'ok');
    await worker.stop();
    await eventually(async () => expect(await trim(world, { deliveredMs: 0 })).toMatchObject({ delivered: 1 }));
    expect(await keysOf(world)).toEqual([]);
  });

  test('leaves writes that wait, are retried or are under way alone, whatever their age', async () => {
    const world = await createWorld({ destination: { retry: { baseMs: 700 } } });
    const worker = await world.startWorker();
    const retried = await world.queue.add('send', planned('503', 'ok'));
    await world.until(retried.data.idempotencyKey, 'retrying');
    await worker.stop();
    const waiting = await world.queue.add('send', planned('ok'));
    await trim(world, { deadMs: 0, handledMs: 0, deliveredMs: 0, deadMax: 0 });
    await scrub(backendOf(world), KEEP);
    await world.startWorker();
    await world.until(retried.data.idempotencyKey, 'delivered');
    await world.until(waiting.data.idempotencyKey, 'delivered');
  });

  test('is made once, however many workers make rounds', async () => {
    const world = await createWorld();
    const made = await Promise.all(Array.from({ length: 5 }, () => round(backendOf(world), KEEP, 10_000)));
    expect(made.filter(Boolean)).toHaveLength(1);
  });
});

describe('a retried write', () => {
  test('is found by the request_id of any of its attempts, and after its delivery too', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('503', '503', 'ok'));
    const retried = await world.until(job.data.idempotencyKey, 'delivered');
    expect(retried.requestIds).toHaveLength(3);
    for (const requestId of retried.requestIds.slice(0, 2)) {
      expect(await find(world.reader, requestId, world.name)).toMatchObject([{ jobId: job.id, state: 'delivered' }]);
    }
  });

  test('that is postponed again and again leaves one row, of its newest answer', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('in-progress', 'in-progress', 'in-progress', 'ok'));
    await world.until(job.data.idempotencyKey, 'delivered', 20_000);
    expect(await redis.hlen(`${prefixOf(world.name)}:${world.name}.rows:request-id`)).toBe(1);
  });
});

test('rows and tombstones whose write or letter was removed by hand are scrubbed away; others stay', async () => {
  const world = await createWorld();
  const worker = await world.startWorker();
  const kept = await settled(world, 'dead', '503', '401');
  const gone = await settled(world, 'dead', '503', '401');
  const delivered = await settled(world, 'delivered', '503', 'ok');
  await worker.stop();
  const before = await keysOf(world);
  await (await world.reader.queue(world.name, `${world.name}.dead`).getJob(gone.letter?.id ?? ''))?.remove();
  await (await world.reader.queue(world.name).getJob(delivered.jobId))?.remove();
  // A tombstone answers for its key as long as the API knows it, whatever became of its letter.
  await scrub(backendOf(world), { keyTtlMs: HOUR_MS });
  expect(await find(world.reader, gone.jobId, world.name)).toHaveLength(1);
  await eventually(async () => {
    await scrub(backendOf(world), KEEP);
    expect(await redis.hvals(`${prefixOf(world.name)}:${world.name}.rows:request-id`)).toEqual([
      kept.letter?.id,
      kept.letter?.id,
    ]);
  });
  expect(await find(world.reader, gone.jobId, world.name)).toEqual([]);
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
  expect(before.length - (await keysOf(world)).length).toBeGreaterThanOrEqual(3);
});

test('a letter of foreign make is no orphan, whatever its job is called', async () => {
  const world = await createWorld();
  const plain = new Queue(world.name, { connection: redis, prefix: prefixOf(world.name) });
  onTestFinished(() => plain.close());
  const worker = await world.startWorker();
  const ids = ['order "5"', 'back\\slash', 'order.g5'];
  for (const jobId of ids) await plain.add('send', { ...planned('503', '401') }, { jobId });
  await eventually(async () => expect((await countLetters(world.reader, world.name)).count).toBe(ids.length));
  await worker.stop();
  await scrub(backendOf(world), KEEP);
  for (const id of ids) expect(await find(world.reader, id, world.name)).toMatchObject([{ jobId: id, state: 'dead' }]);
  expect(await redis.hlen(`${prefixOf(world.name)}:${world.name}.rows:request-id`)).toBe(2 * ids.length);
});

test('letters beyond their count stay while the API may know their keys', async () => {
  const world = await createWorld();
  await world.startWorker();
  for (let i = 0; i < 3; i++) await settled(world, 'dead', '401');
  expect(await trim(world, { deadMax: 1, keyTtlMs: HOUR_MS })).toMatchObject({ open: 0 });
  await eventually(async () => expect(await trim(world, { deadMax: 1 })).toMatchObject({ open: 2 }));
});

test('a letter that was restored after its time is kept as long as a handled one', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { letter } = await settled(world, 'dead', '401');
  const other = await settled(world, 'dead', '401');
  await discard(world.reader, world.name, letter?.id ?? '', ANN);
  await restore(world.reader, world.name, letter?.id ?? '', ANN);
  await eventually(async () => expect(await trim(world, { deadMs: 0 })).toMatchObject({ open: 1 }));
  expect(await find(world.reader, other.jobId, world.name)).toEqual([]);
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
  await eventually(async () => expect(await trim(world, { deadMs: 0, handledMs: 0 })).toMatchObject({ open: 1 }));
});

test('something of another type in a letter’s place stops no round', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { letter } = await settled(world, 'dead', '401');
  await settled(world, 'dead', '401');
  const key = world.reader.queue(world.name, `${world.name}.dead`).toKey(letter?.id ?? '');
  await redis.del(key);
  await redis.set(key, 'x');
  await scrub(backendOf(world), KEEP);
  await eventually(async () => expect(await trim(world, { deadMs: 0 })).toMatchObject({ open: 2 }));
});

test('a round that another clock has dated into the future holds nothing up', async () => {
  const world = await createWorld();
  await redis.hset(`${prefixOf(world.name)}:${world.name}.retention`, 'at', Date.now() + HOUR_MS);
  expect(await round(backendOf(world), KEEP, 10_000)).toBeDefined();
});

test('a round frees memory in a Redis that has none left', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-full-'));
  const server = await startPrivateRedis({ dir });
  const own = new Redis(server.url);
  const reader = await Reader.open(server.url);
  const sandbox = await createSandbox();
  const queue = createQueue('sms', { connection: server.url });
  const worker = await createWorker(
    { redis: { url: server.url }, log: { level: 'silent' }, destinations: { sms: { baseUrl: sandbox.url } } },
    { env: {} },
  );
  onTestFinished(async () => {
    await worker.stop();
    await queue.close();
    await reader.close();
    own.disconnect();
    await sandbox.close();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  await queue.waitFor(await queue.add('send', planned('401')));
  await own.config('SET', 'maxmemory', '1');
  const backend = reader.queue('sms').getBackend() as unknown as WaybillBackend;
  await expect(queue.add('send', planned())).rejects.toMatchObject({ code: 'QUEUE_REFUSED' });
  await eventually(async () => expect(await round(backend, { ...KEEP, deadMs: 0 }, 0)).toMatchObject({ open: 1 }));
  await own.config('SET', 'maxmemory', '0');
});

test('with short ages every round of work leaves the same few keys of the same size behind', async () => {
  const world = await createWorld({
    sandbox: { keyTtlMs: 1000 },
    destination: {
      timeoutMs: 500,
      retry: { baseMs: 1, capMs: 5 },
      idempotency: { ttlMs: 1000 },
      retention: { deliveredMs: 1000, deadMs: 1000, handledMs: 1000, auditMs: 1000 },
    },
    worker: { retentionIntervalMs: 100 },
  });
  await world.startWorker();
  const left: { keys: string[]; bytes: number }[] = [];
  for (let times = 0; times < 3; times++) {
    const plans = [['ok'], ['503', 'ok'], ['401'], ['503', '401'], ['401', 'ok']];
    await world.queue.addBulk(
      plans.flatMap((plan) => Array.from({ length: 20 }, () => ({ name: 'send' as const, data: planned(...plan) }))),
    );
    await eventually(async () => {
      const open = await world.reader.queue(world.name).getJobCountByTypes('wait', 'delayed', 'active');
      expect(open).toBe(0);
    });
    for await (const { id } of letters(world.reader, world.name)) {
      await (Math.random() < 0.5 ? replay : discard)(world.reader, world.name, id, ANN).catch(() => {});
    }
    await eventually(async () => expect(await keysOf(world)).toEqual([]), 20_000);
    // BullMQ's counter of jobs begins with the first replay, and figures by the minute with each minute, until their own end.
    const keys = (await redis.keys(`${prefixOf(world.name)}:*`)).filter(
      (key) => !/:(stalled-check|id|.*\.minute:\d+)$/.test(key),
    );
    // BullMQ trims its event streams by count, at about 10 000 entries; the audit stream is cut node by node.
    const sizes = keys.filter((key) => !key.endsWith(':events')).map((key) => redis.memory('USAGE', key));
    left.push({
      keys: keys.toSorted(),
      bytes: (await Promise.all(sizes)).reduce<number>((sum, n) => sum + Number(n), 0),
    });
  }
  const [first, , last] = left;
  expect(last?.keys).toEqual(first?.keys);
  expect(last?.bytes).toBeLessThan((first?.bytes ?? 0) + 16_384);
});
