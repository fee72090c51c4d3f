// The promises under kill -9. A worker in its own process talks to Redis through a proxy, so that it can be killed
// between the moment Redis carried out a script and the moment the worker learns of it.
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeFound } from '../../cli/find-text.ts';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { find } from '../../queue/find.ts';
import { letters } from '../../queue/dead-letters.ts';
import { spawnNode } from '../support/processes.ts';
import { type FaultProxy, startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World, type WorldOptions } from '../support/world.ts';

/** A dead worker is noticed after lock and interval together. */
const SHORT = { lockMs: 600, stalledIntervalMs: 400 };
/** Long enough that a busy machine does not lose the lock while an answer is waited for. */
const STEADY = { lockMs: 2000, stalledIntervalMs: 500 };
const STEADY_NOTICED_MS = 3000;

async function proxiedWorld(options: WorldOptions = {}): Promise<{ world: World; proxy: FaultProxy }> {
  const real = new URL(redisUrl());
  const proxy = await startProxy({ host: real.hostname, port: Number(real.port || 6379) });
  onTestFinished(() => proxy.close());
  real.host = `127.0.0.1:${proxy.port}`;
  return {
    world: await createWorld({ ...options, worker: { ...SHORT, ...options.worker }, workerRedisUrl: real.href }),
    proxy,
  };
}

const stateOf = async (world: World, key: string): Promise<string | undefined> =>
  (await find(world.reader, key, world.name))[0]?.state;

/** Kills the worker, heals the proxy and starts another worker in this process. */
async function takeOver(
  world: World,
  proxy: FaultProxy,
  worker: { kill(signal: NodeJS.Signals): void; exited: Promise<unknown> },
): Promise<void> {
  worker.kill('SIGKILL');
  await worker.exited;
  await proxy.restore();
  await world.startWorker();
}

describe('kill -9 of a worker', () => {
  test('before the POST: another worker sends it, once', async () => {
    const { world, proxy } = await proxiedWorld();
    const worker = await world.spawnWorker();
    await eventually(async () => expect(await world.queue.getWorkersCount()).toBeGreaterThan(0));
    // The script that fetches the write is carried out, its reply never arrives.
    const forget = proxy.onRequest((bytes) => {
      if (bytes.includes('evalsha') && !bytes.includes('stalled-check')) proxy.pauseReplies();
    });
    const job = await world.queue.add('send', planned());
    await eventually(async () => expect(await stateOf(world, job.data.idempotencyKey)).toBe('sending'));
    expect(world.sandbox.entry(job.data.idempotencyKey)).toBeUndefined();
    forget();
    await takeOver(world, proxy, worker);
    const found = await world.until(job.data.idempotencyKey, 'delivered');
    expect(found.verdict).toBe('applied-once');
    await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1);
    expect(world.log.find((line) => line.msg === 'delivered')).toMatchObject({ lost: 1, attempt: 1 });
    expect(found.delivery).toMatchObject({ lost: 1 });
    expect(describeFound(found, new PassThrough())).toMatch(/unrecorded +1 start/);
  });

  test('after the POST: it is sent again with the same key, and applied once', async () => {
    const { world, proxy } = await proxiedWorld();
    const worker = await world.spawnWorker();
    const job = await world.queue.add('send', planned('slow:1200'));
    await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.applications).toBe(1));
    await takeOver(world, proxy, worker);
    const found = await world.until(job.data.idempotencyKey, 'delivered');
    expect(found.delivery).toMatchObject({ replayed: true });
    await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
  });

  test('after a POST that nobody saw the answer of, then a rejection that proves nothing: in doubt', async () => {
    const { world, proxy } = await proxiedWorld();
    const worker = await world.spawnWorker();
    const job = await world.queue.add('send', planned('hang', '403'));
    await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
    await takeOver(world, proxy, worker);
    const found = await world.until(job.data.idempotencyKey, 'dead');
    expect(found.letter).toMatchObject({ verdict: 'in-doubt', status: 403, journal: { lost: 1 } });
  });

  test.each([
    ['delivered', 'ok', 'applied-once'],
    ['dead', '400', 'not-applied'],
  ] as const)(
    'with the script that settles it as %s sent and its reply unread: settled once, and not sent again',
    async (state, step, verdict) => {
      const { world, proxy } = await proxiedWorld({ sandbox: { latencyMs: 400 }, worker: STEADY });
      const worker = await world.spawnWorker();
      const job = await world.queue.add('send', planned(step));
      await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
      proxy.pauseReplies();
      await world.until(job.data.idempotencyKey, state);
      await takeOver(world, proxy, worker);
      // Longer than it takes to notice a stalled job: lock and interval together.
      await new Promise((resolve) => setTimeout(resolve, STEADY_NOTICED_MS));
      expect((await world.until(job.data.idempotencyKey, state)).verdict).toBe(verdict);
      expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1);
      expect(await Array.fromAsync(letters(world.reader, world.name))).toHaveLength(state === 'dead' ? 1 : 0);
    },
  );

  test('with the script of a retry sent and its reply unread: the journal is whole and no attempt is lost', async () => {
    const { world, proxy } = await proxiedWorld({
      sandbox: { latencyMs: 400 },
      worker: STEADY,
      destination: { retry: { baseMs: 300, capMs: 600 } },
    });
    const worker = await world.spawnWorker();
    const job = await world.queue.add('send', planned('503', 'reset-after'));
    await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
    proxy.pauseReplies();
    await world.until(job.data.idempotencyKey, 'retrying');
    await takeOver(world, proxy, worker);
    const found = await world.until(job.data.idempotencyKey, 'delivered');
    expect(found.journal.attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(found.delivery).toMatchObject({ attempts: 3, replayed: true });
    await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
  });

  test('a write whose worker keeps dying is dead as crashed; the others are not', async () => {
    const { world, proxy } = await proxiedWorld({ worker: { maxCrashes: 1 } });
    const job = await world.queue.add('send', planned('hang', 'hang', 'hang'));
    for (let kills = 1; kills <= 2; kills++) {
      const worker = await world.spawnWorker();
      await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(kills));
      worker.kill('SIGKILL');
      await worker.exited;
    }
    await takeOver(world, proxy, { kill: () => {}, exited: Promise.resolve() });
    const good = await world.queue.add('send', planned());
    expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
      reason: 'crashed',
      verdict: 'in-doubt',
      lost: 2,
    });
    expect((await world.until(good.data.idempotencyKey, 'delivered')).verdict).toBe('applied-once');
  });

  test('again and again, at random: every write ends in exactly one place, with the right verdict', async () => {
    const world = await createWorld({
      sandbox: { latencyMs: 30 },
      destination: { concurrency: 10 },
      worker: { ...SHORT, maxCrashes: 20 },
    });
    const plans: [string[], string][] = [
      [['ok'], 'delivered'],
      [['503', 'ok'], 'delivered'],
      [['reset-after'], 'delivered'],
      [['slow:150'], 'delivered'],
      [['422'], 'dead'],
      [['500-applied', 'reset-before'], 'delivered'],
    ];
    const writes = await Promise.all(
      Array.from({ length: 90 }, async (_, i) => {
        const [plan, state] = plans[i % plans.length]!;
        const job = await world.queue.add('send', planned(...plan));
        return { key: job.data.idempotencyKey, state };
      }),
    );
    for (let kills = 0; kills < 8; kills++) {
      const worker = await world.spawnWorker();
      // A different point of the work each time; no clock decides whether the test passes.
      await new Promise((resolve) => setTimeout(resolve, 30 + ((kills * 37) % 120)));
      worker.kill('SIGKILL');
      await worker.exited;
    }
    await world.startWorker();
    for (const { key, state } of writes) {
      const found = await world.until(key, ['delivered', 'dead'], 30_000);
      expect(found.state).toBe(state);
      expect(world.sandbox.entry(key)?.applications).toBe(state === 'delivered' ? 1 : 0);
      expect(world.sandbox.entry(key)?.payloadHashes).toHaveLength(1);
      expect(found.verdict).toBe(state === 'delivered' ? 'applied-once' : 'not-applied');
    }
    const dead = await Array.fromAsync(letters(world.reader, world.name));
    expect(dead.map(({ jobId }) => jobId).toSorted()).toEqual([...new Set(dead.map(({ jobId }) => jobId))].toSorted());
    expect(dead).toHaveLength(writes.filter(({ state }) => state === 'dead').length);
    expect(await world.queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')).toEqual({
      wait: 0,
      active: 0,
      delayed: 0,
      prioritized: 0,
    });
  });
});

test('the usual worker loses its dead letter under the same kill, so the test can see', async () => {
  const { world, proxy } = await proxiedWorld({ sandbox: { latencyMs: 400 } });
  const url = new URL(redisUrl());
  url.host = `127.0.0.1:${proxy.port}`;
  const file = fileURLToPath(new URL('../support/usual-worker-child.ts', import.meta.url));
  const start = () =>
    spawnNode(file, {
      env: { WORKER_CONFIG: JSON.stringify({ url: url.href, queueName: world.name, api: world.sandbox.url }) },
    });
  const worker = start();
  await worker.waitForLine('worker started');
  const job = await world.queue.add('send', planned('400'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  proxy.pauseReplies();
  await eventually(async () => expect(await world.queue.getFailedCount()).toBe(1));
  worker.kill('SIGKILL');
  await worker.exited;
  await proxy.restore();
  const next = start();
  await next.waitForLine('worker started');
  await new Promise((resolve) => setTimeout(resolve, STEADY_NOTICED_MS));
  // The write failed, and no dead letter tells of it.
  expect(await world.queue.getFailedCount()).toBe(1);
  const dead = world.reader.queue(world.name, `${world.name}.dead`);
  expect(await dead.getJobCountByTypes('wait', 'active', 'delayed', 'prioritized', 'completed', 'failed')).toBe(0);
});

test('two workers at once share the writes, and send none twice', async () => {
  // Time enough for each attempt: a machine that stands still for a second must not make a retry of it.
  const world = await createWorld({ destination: { timeoutMs: 20_000 } });
  await world.startWorker();
  await world.startWorker();
  const jobs = await Promise.all(Array.from({ length: 60 }, () => world.queue.add('send', planned())));
  for (const job of jobs) await world.until(job.data.idempotencyKey, 'delivered');
  for (const job of jobs) {
    const sent = world.sandbox.entry(job.data.idempotencyKey)?.sends;
    const said = world.log.filter(({ job_id }) => job_id === job.id);
    expect(sent, JSON.stringify(said)).toHaveLength(1);
  }
  expect(new Set(world.log.filter(({ msg }) => msg === 'delivered').map((line) => line.worker)).size).toBe(2);
});

test('a lost lock costs a second send with the same key, and the write is settled once', async () => {
  const { world, proxy } = await proxiedWorld({ sandbox: { latencyMs: 50 } });
  const worker = await world.spawnWorker();
  const job = await world.queue.add('send', planned('slow:200'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  worker.kill('SIGSTOP');
  await world.startWorker();
  await world.until(job.data.idempotencyKey, 'delivered');
  worker.kill('SIGCONT');
  await worker.waitForLine(/Missing lock|not owned|not in the active/, 5000);
  await proxy.restore();
  await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
  expect((await world.until(job.data.idempotencyKey, 'delivered')).verdict).toBe('applied-once');
});

test('a promoted write whose first start went unrecorded is not sent again once its key has expired', async () => {
  const world = await createWorld({
    worker: SHORT,
    sandbox: { keyTtlMs: 3000 },
    destination: { timeoutMs: 400, idempotency: { ttlMs: 3000 } },
  });
  const worker = await world.spawnWorker();
  const job = await world.queue.add('send', planned('hang-applied'), { delay: 3_600_000 });
  await job.promote();
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  worker.kill('SIGKILL');
  await worker.exited;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await world.startWorker();
  const found = await world.until(job.data.idempotencyKey, 'dead');
  expect(found.letter).toMatchObject({ reason: 'key-expired', verdict: 'in-doubt' });
  expect(world.sandbox.entry(job.data.idempotencyKey)).toMatchObject({ applications: 1 });
});

test('Redis that goes away under a worker at work, and comes back, costs no write', async () => {
  const { world, proxy } = await proxiedWorld({ sandbox: { latencyMs: 50 }, destination: { concurrency: 5 } });
  await world.startWorker();
  const jobs = await Promise.all(
    Array.from({ length: 40 }, (_, i) => world.queue.add('send', planned(i % 4 === 0 ? '422' : 'ok'))),
  );
  for (let outages = 0; outages < 3; outages++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    await proxy.refuse();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await proxy.restore();
  }
  for (const [i, job] of jobs.entries()) {
    const found = await world.until(job.data.idempotencyKey, ['delivered', 'dead'], 25_000);
    expect([found.state, found.verdict]).toEqual(i % 4 === 0 ? ['dead', 'not-applied'] : ['delivered', 'applied-once']);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.applications).toBe(i % 4 === 0 ? 0 : 1);
  }
});
