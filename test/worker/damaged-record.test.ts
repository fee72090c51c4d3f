// What stands in Redis of a write's past can be damaged by hands. Then nothing is claimed of that past.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { probe } from '../../queue/probe.ts';
import { replay } from '../../queue/operate.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const WHO = { by: 'ann', reason: 'a test' };

function byHand(world: World): (jobId: string, field: string, value: string) => Promise<unknown> {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  return (jobId, field, value) => redis.hset(world.queue.toKey(jobId), field, value);
}

test('a count of starts that was damaged while its worker had it, and died: the lost start still counts, and it is in doubt', async () => {
  const world = await createWorld({ worker: { lockMs: 600, stalledIntervalMs: 400 } });
  const damage = byHand(world);
  const worker = await world.spawnWorker();
  const job = await world.queue.add('send', planned('hang-applied', '401'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  await damage(job.id ?? '', 'ats', 'x');
  worker.kill('SIGKILL');
  await worker.exited;
  await world.startWorker();
  const { letter } = await world.until(job.data.idempotencyKey, 'dead');
  expect(letter).toMatchObject({ reason: 'rejected', verdict: 'in-doubt', journal: { lost: 1 } });
});

describe.each([
  ['is no JSON', 'x{'],
  ['is of another shape', '{"generation":1,"attempts":[null]}'],
])('a journal that %s', (_how, damaged) => {
  test.each([
    ['probe', probe],
    ['replay', replay],
  ] as const)(
    'of a %s: it is not sent, and stays in doubt whatever it would have been answered',
    async (_act, send) => {
      const world = await createWorld({ destination: { retry: { baseMs: 20, capMs: 20, maxAttempts: 2 } } });
      const damage = byHand(world);
      const first = await world.startWorker();
      const job = await world.queue.add('send', planned('502-applied', '502', '401'));
      const { letter } = await world.until(job.data.idempotencyKey, 'dead');
      expect(letter?.verdict).toBe('in-doubt');
      await first.stop();
      await send(world.reader, world.name, letter?.id ?? '', WHO);
      await damage(job.id ?? '', 'progress', damaged);
      await world.startWorker();
      const found = await eventually(async () => {
        const next = await world.until(job.data.idempotencyKey, 'dead');
        expect(next.letter?.id).not.toBe(letter?.id);
        return next;
      });
      expect(found.letter).toMatchObject({ reason: 'key-expired', verdict: 'in-doubt', journal: { generation: 1 } });
      expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(2);
    },
  );

  test('of a write in its first life: its starts are lost ones', async () => {
    const world = await createWorld({ destination: { retry: { baseMs: 500, capMs: 500 } } });
    const damage = byHand(world);
    await world.startWorker();
    const job = await world.queue.add('send', planned('502-applied', '401'));
    await world.until(job.data.idempotencyKey, 'retrying');
    await damage(job.id ?? '', 'progress', damaged);
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter).toMatchObject({ reason: 'rejected', verdict: 'in-doubt', journal: { lost: 1 } });
  });
});

describe.each([
  ['a count of attempts that no script can raise', 'atm', '99999999999999999999'],
  ['a parent that is none', 'parent', '{"id":1}'],
])('%s, written while its worker had the write', (_what, field, value) => {
  test.each([
    ['delivered', 'ok'],
    ['dead', '422'],
    ['retrying', 'hang'],
  ] as const)('leaves it %s, in one place', async (state, step) => {
    const world = await createWorld({
      sandbox: { latencyMs: 300 },
      destination: { timeoutMs: 800, retry: { baseMs: 60_000, capMs: 60_000 } },
    });
    const damage = byHand(world);
    await world.startWorker();
    const next = await world.queue.add('send', planned(step));
    await world.until(next.data.idempotencyKey, 'sending');
    await damage(next.id ?? '', field, value);
    await world.until(next.data.idempotencyKey, state);
    const counts = await world.queue.getJobCounts('active', 'wait', 'delayed', 'completed', 'failed');
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});

test.each([
  ['delivered', 'ok'],
  ['dead', '422'],
] as const)('a parent that cannot be told leaves it %s, in one place', async (state, step) => {
  const world = await createWorld({ sandbox: { latencyMs: 300 } });
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  await world.startWorker();
  const { id = '', data } = await world.queue.add('send', planned(step));
  await world.until(data.idempotencyKey, 'sending');
  // Where a parent keeps a set of its children stands something else.
  const parentKey = `bull:${world.name}:parent`;
  await redis.set(`${parentKey}:dependencies`, 'x', 'PX', 60_000);
  const parent = JSON.stringify({ id: 'parent', queueKey: `bull:${world.name}` });
  await redis.hset(world.queue.toKey(id), { parentKey, parent });
  await world.until(data.idempotencyKey, state);
  const counts = await world.queue.getJobCounts('active', 'wait', 'delayed', 'completed', 'failed');
  expect(counts).toEqual({
    active: 0,
    wait: 0,
    delayed: 0,
    completed: state === 'delivered' ? 1 : 0,
    failed: state === 'dead' ? 1 : 0,
  });
});

test.each(['before it is taken', 'while its worker has it'])(
  'a priority that is no number, written %s, does not take others along when retries come due together',
  async (when) => {
    const world = await createWorld({ sandbox: {}, destination: { timeoutMs: 600, retry: { baseMs: 1, capMs: 1 } } });
    const damage = byHand(world);
    const jobs = await Promise.all(Array.from({ length: 12 }, () => world.queue.add('send', planned('hang'))));
    const hit = jobs[3]!;
    if (when === 'before it is taken') await damage(hit.id ?? '', 'priority', 'NaN');
    await world.startWorker();
    if (when !== 'before it is taken') {
      await eventually(() => expect(world.sandbox.entry(hit.data.idempotencyKey)?.sends).toHaveLength(1));
      await damage(hit.id ?? '', 'priority', 'NaN');
    }
    for (const job of jobs) await world.until(job.data.idempotencyKey, 'delivered');
  },
);

test.each(['ok', '422'])(
  'a write whose record was evicted while it was sent, fed again, ends in one place: %s',
  async (step) => {
    const world = await createWorld({
      sandbox: { latencyMs: 500 },
      destination: { retry: { baseMs: 600, capMs: 600 } },
      worker: { lockMs: 600, stalledIntervalMs: 200 },
    });
    const redis = new Redis(redisUrl());
    onTestFinished(() => redis.disconnect());
    await world.startWorker();
    const job = await world.queue.add('send', planned(step, step));
    await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
    await redis.del(world.queue.toKey(job.id ?? ''));
    await world.queue.add('send', job.data);
    await world.until(job.data.idempotencyKey, step === 'ok' ? 'delivered' : 'dead');
    // Whoever looks after lost starts has come by.
    await sleep(1000);
    const counts = await world.queue.getJobCounts('wait', 'active', 'delayed', 'completed', 'failed');
    expect(counts).toEqual({
      wait: 0,
      active: 0,
      delayed: 0,
      completed: step === 'ok' ? 1 : 0,
      failed: step === 'ok' ? 0 : 1,
    });
    const dead = world.reader.queue(world.name, `${world.name}.dead`);
    expect(await dead.getJobCountByTypes('prioritized', 'wait')).toBe(step === 'ok' ? 0 : 1);
    const known = world.sandbox.entry(job.data.idempotencyKey);
    // The start that had it in hand ended it; an id that stood there twice was started over and over.
    expect(known?.sends).toHaveLength(1);
    expect(known?.applications).toBe(step === 'ok' ? 1 : 0);
  },
);
