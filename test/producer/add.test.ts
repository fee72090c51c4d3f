import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createQueue, type WriteInput } from '../../producer/index.ts';
import { DESTINATIONS_KEY } from '../../queue/keys.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned } from '../support/world.ts';

const write: WriteInput = { method: 'POST', path: '/v1/profiles', body: { email: 'a@example.com' } };

describe('adding a write', () => {
  test('answers its job, with the key it was given or a new one', async () => {
    const { queue } = await createWorld();
    const job = await queue.add('send', write);
    expect(job.duplicate).toBe(false);
    expect(job.data.idempotencyKey).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(job.data).toEqual({
      ...write,
      body: '{"email":"a@example.com"}',
      idempotencyKey: expect.any(String) as string,
    });
    expect((await queue.add('send', { ...write, idempotencyKey: 'mine' })).data.idempotencyKey).toBe('mine');
    expect((await queue.add('send', write, { idempotencyKey: 'yours' })).data.idempotencyKey).toBe('yours');
  });

  test('again with the same key and payload answers the same job as a duplicate', async () => {
    const { queue } = await createWorld();
    const first = await queue.add('send', write, { idempotencyKey: 'k', maxAttempts: 3 });
    const again = await queue.add('send', write, { idempotencyKey: 'k', delay: 5000, priority: 3, maxAttempts: 9 });
    // As it stands in the queue, not as this call would have had it.
    const { id, data, timestamp } = first;
    expect(again).toMatchObject({ id, data, timestamp, delay: 0, priority: 0, opts: { attempts: 3 }, duplicate: true });
    expect(await queue.getJobCounts('wait', 'delayed', 'prioritized')).toEqual({ wait: 1, delayed: 0, prioritized: 0 });
  });

  test('again, where an earlier release has stored a longer hash of its payload, is a duplicate', async () => {
    const { queue, reader } = await createWorld();
    const sent = { ...planned(), idempotencyKey: 'k' };
    const { id = '' } = await queue.add('send', sent);
    const hash = await reader.client.hget(queue.toKey(id), 'wbh');
    await reader.client.hset(queue.toKey(id), 'wbh', `${hash}p8r6cXkQ2mGv0aB1dE3fH`);
    expect(await queue.add('send', sent)).toMatchObject({ id, duplicate: true });
    await reader.client.hset(queue.toKey(id), 'wbh', '');
    await expect(queue.add('send', sent)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('again with another payload is IDEMPOTENCY_CONFLICT, and nothing is enqueued or changed', async () => {
    const { queue } = await createWorld();
    const first = await queue.add('send', write, { idempotencyKey: 'k' });
    await expect(
      queue.add('send', { ...write, body: { email: 'b@example.com' } }, { idempotencyKey: 'k' }),
    ).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      message: expect.stringContaining('"k"') as string,
    });
    expect(await queue.getWaitingCount()).toBe(1);
    expect((await queue.getJob(first.id ?? ''))?.data.body).toBe('{"email":"a@example.com"}');
  });

  test.each([
    ['delivered', 'ok'],
    ['dead', '400'],
  ] as const)('a key whose write is %s is still answered', async (state, step) => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned(step), { idempotencyKey: 'k' });
    await world.until('k', state);
    expect(await world.queue.add('send', planned(step), { idempotencyKey: 'k' })).toMatchObject({
      id: job.id,
      duplicate: true,
    });
    await expect(world.queue.add('send', write, { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect(world.sandbox.entry('k')?.sends).toHaveLength(1);
  });

  test('two producers that add one key at once: one queues it, the other is told', async () => {
    const { name, queue } = await createWorld();
    const other = createQueue(name, { connection: redisUrl() });
    onTestFinished(() => other.close());
    await other.add('send', write);
    for (let i = 0; i < 30; i++) {
      const options = { idempotencyKey: `race-${i}` };
      const [a, b] = await Promise.all([queue.add('send', write, options), other.add('send', write, options)]);
      expect([a.duplicate, b.duplicate].filter(Boolean)).toHaveLength(1);
      const conflict = { idempotencyKey: `conflict-${i}` };
      const answers = await Promise.allSettled([
        queue.add('send', write, conflict),
        other.add('send', { ...write, path: '/v1/stores' }, conflict),
      ]);
      expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });

  test.each([
    '0',
    '1',
    '42',
    'wait',
    'active',
    'delayed',
    'events',
    'meta',
    'marker',
    'completed',
    'a:b',
    'a:b:c',
    'x'.repeat(255),
    '{tag}',
    "'; DROP",
  ])('the key %j is sent as it is and breaks nothing', async (key) => {
    const world = await createWorld();
    await world.startWorker();
    await world.queue.add('send', planned(), { idempotencyKey: key });
    await world.until(key, 'delivered');
    expect(world.sandbox.entry(key)?.applications).toBe(1);
  });

  test('delay, priority, maxAttempts and expiresAt are kept', async () => {
    const { queue } = await createWorld();
    const expiresAt = new Date(Date.now() + 60_000);
    const delayed = await queue.add('send', write, { delay: 60_000, maxAttempts: 2, expiresAt });
    const first = await queue.add('send', write, { priority: 7 });
    expect(await queue.getJob(delayed.id ?? '')).toMatchObject({
      delay: 60_000,
      opts: { attempts: 2 },
      data: { maxAttempts: 2, expiresAt: +expiresAt },
    });
    expect(await queue.getJobState(delayed.id ?? '')).toBe('delayed');
    expect(await queue.getJob(first.id ?? '')).toMatchObject({ priority: 7 });
  });

  test('registers its destination, so that a typo is seen', async () => {
    const { name, queue, reader } = await createWorld();
    expect(await reader.client.hexists(DESTINATIONS_KEY, name)).toBe(0);
    await queue.add('send', write);
    expect(await reader.client.hexists(DESTINATIONS_KEY, name)).toBe(1);
  });
});

describe('what is refused, before Redis is touched', () => {
  const queue = createQueue('nowhere', { connection: 'redis://127.0.0.1:1' });
  afterAll(() => queue.close());

  test.each([
    ['jobId', 'x'],
    ['attempts', 3],
    ['backoff', { type: 'fixed' }],
    ['removeOnComplete', true],
    ['removeOnFail', true],
    ['parent', {}],
    ['repeat', {}],
    ['deduplication', { id: 'x' }],
    ['lifo', true],
    ['somethingElse', 1],
  ])('the option %s, by name', async (option, value) => {
    await expect(queue.add('send', write, { [option]: value })).rejects.toMatchObject({
      code: 'INVALID_WRITE',
      field: `options.${option}`,
      message: expect.stringContaining(option) as string,
    });
  });

  test.each([
    ['options.delay', { delay: -1 }],
    ['options.delay', { delay: NaN }],
    ['options.priority', { priority: 0 }],
    ['options.maxAttempts', { maxAttempts: 0 }],
    ['options.expiresAt', { expiresAt: new Date(NaN) }],
    ['options.expiresAt', { expiresAt: Math.floor(Date.now() / 1000) }],
    ['options.idempotencyKey', { idempotencyKey: 'ü' }],
    ['options', 'x'],
  ])('%s when it is wrong', async (field, options) => {
    await expect(queue.add('send', write, options as object)).rejects.toMatchObject({ code: 'INVALID_WRITE', field });
  });

  test('two different keys, another name, no payload', async () => {
    await expect(queue.add('send', { ...write, idempotencyKey: 'a' }, { idempotencyKey: 'b' })).rejects.toMatchObject({
      field: 'options.idempotencyKey',
    });
    await expect(queue.add('sned' as 'send', write)).rejects.toMatchObject({ field: 'name' });
    await expect(queue.add('send', undefined as unknown as WriteInput)).rejects.toMatchObject({ field: 'payload' });
  });

  test.each(['', 'A', 'a.b', 'a:b', '{a}', '-a', 'x'.repeat(64)])('the destination name %j', (name) =>
    expect(() => createQueue(name)).toThrow(
      expect.objectContaining({ code: 'INVALID_WRITE', field: 'destination' }) as Error,
    ),
  );

  test('an option of createQueue that it does not know', () =>
    expect(() => createQueue('sms', { conection: 'redis://x' } as object)).toThrow(/no option conection/));

  test.each(['redis://127.0.0.1/abc', 'redis://127.0.0.1:6379/0/1', 'redis://127.0.0.1?db=1'])(
    'a Redis URL that the driver would choke on: %s',
    (connection) =>
      expect(() => createQueue('sms', { connection })).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIG' }) as Error,
      ),
  );

  test('a connection that is no Redis URL, without repeating its password', () => {
    expect(() => createQueue('sms', { connection: 'http://:hunter22@x' })).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG' }) as Error,
    );
    expect(() => createQueue('sms', { connection: 'http://:hunter22@x' })).not.toThrow(/hunter22/);
  });
});

describe('addBulk', () => {
  test('answers per item, in order, and a bad one never stops the others', async () => {
    const { queue } = await createWorld();
    await queue.add('send', write, { idempotencyKey: 'there' });
    const answers = await queue.addBulk([
      { name: 'send', data: write, opts: { idempotencyKey: 'new' } },
      { name: 'send', data: { ...write, path: 'bad' } },
      { name: 'send', data: write, opts: { idempotencyKey: 'there' } },
      { name: 'send', data: { ...write, method: 'PUT' }, opts: { idempotencyKey: 'there' } },
      null as never,
      { name: 'send', data: write, opts: { delay: 1000 } },
      { name: 'send', data: write, opts: { idempotencyKey: 'new' } },
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([
      'queued',
      'invalid',
      'duplicate',
      'conflict',
      'invalid',
      'queued',
      'duplicate',
    ]);
    expect(answers[1]).toMatchObject({ error: { code: 'INVALID_WRITE', field: 'path' } });
    expect(answers[3]).toMatchObject({ error: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect(answers[0]).toMatchObject({ job: { data: { idempotencyKey: 'new' }, duplicate: false } });
  });

  test('many at once, also after the server forgot its scripts', async () => {
    // Alone on its server: no other test's scripts may be forgotten at a moment that is its own.
    const dir = await mkdtemp(join(tmpdir(), 'waybill-flush-'));
    const server = await startPrivateRedis({ dir });
    const redis = new Redis(server.url);
    const queue = createQueue('sms', { connection: server.url });
    onTestFinished(async () => {
      await queue.close();
      redis.disconnect();
      await server.stop();
      await rm(dir, { recursive: true });
    });
    const items = Array.from({ length: 450 }, (_, i) => ({ name: 'send' as const, data: { ...write, body: { i } } }));
    expect((await queue.addBulk(items)).every(({ status }) => status === 'queued')).toBe(true);
    await redis.script('FLUSH');
    expect((await queue.addBulk(items)).every(({ status }) => status === 'queued')).toBe(true);
    expect(await queue.getWaitingCount()).toBe(900);
  });

  test('of nothing is answered by nothing', async () =>
    expect(await (await createWorld()).queue.addBulk([])).toEqual([]));
});

describe('the connection', () => {
  test('may be ioredis options or a Redis, which stays open', async () => {
    const { name } = await createWorld();
    const { hostname, port, password, username, pathname } = new URL(redisUrl());
    const options = {
      host: hostname,
      port: Number(port),
      ...(password && { password }),
      ...(username && { username }),
      db: Number(pathname.slice(1) || 0),
    };
    const client = new Redis(redisUrl());
    onTestFinished(() => client.disconnect());
    for (const connection of [options, client]) {
      const queue = createQueue(name, { connection });
      expect((await queue.add('send', write)).duplicate).toBe(false);
      await queue.close();
    }
    expect(await client.ping()).toBe('PONG');
  });

  test('the queue is a BullMQ Queue', async () => {
    const { queue } = await createWorld();
    await queue.add('send', write);
    expect(queue).toBeInstanceOf(Queue);
    expect(await queue.getWaiting()).toHaveLength(1);
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 1 });
  });
});
