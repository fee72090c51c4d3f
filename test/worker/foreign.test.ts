// Jobs that add() did not make: a plain BullMQ producer's, corrupt ones, settled ones that somebody put back.
import { FlowProducer, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prefixOf } from '../../queue/keys.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorker } from '../../worker/index.ts';
import { API_KEY, createWorld, eventually, planned, type World } from '../support/world.ts';

function plainQueue(world: World): { bull: Queue; redis: Redis } {
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const bull = new Queue(world.name, { connection: redis, prefix: prefixOf(world.name) });
  onTestFinished(async () => {
    await bull.close();
    redis.disconnect();
  });
  return { bull, redis };
}

describe('a plain BullMQ producer', () => {
  test('is served: the policy’s attempts, back-off and retention, and one key for every attempt', async () => {
    const world = await createWorld();
    const { bull } = plainQueue(world);
    const job = await bull.add('whatever', planned('503', 'reset-after'), { removeOnComplete: true });
    await world.startWorker();
    const found = await world.until(job.id ?? '', 'delivered');
    expect(found.idempotencyKey).toMatch(/^wb_[\w-]{43}$/);
    expect(found.delivery).toMatchObject({ attempts: 3, replayed: true });
    const entry = world.sandbox.entry(found.idempotencyKey ?? '');
    expect(entry).toMatchObject({ applications: 1 });
    expect(entry?.sends).toHaveLength(3);
  });

  test('may give a key of its own', async () => {
    const world = await createWorld();
    const { bull } = plainQueue(world);
    const job = await bull.add('send', { ...planned(), idempotencyKey: 'mine' });
    await world.startWorker();
    await world.until(job.id ?? '', 'delivered');
    expect(world.sandbox.entry('mine')?.applications).toBe(1);
  });

  test('of another language keeps the digits of its numbers, from the queue to the wire', async () => {
    const bodies: string[] = [];
    const { createServer } = await import('node:http');
    const api = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(201).end();
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void api.close());
    await new Promise((resolve) => api.once('listening', resolve));
    const world = await createWorld({ baseUrl: `http://127.0.0.1:${(api.address() as { port: number }).port}` });
    const { bull, redis } = plainQueue(world);
    const job = await bull.add('send', planned());
    await redis.hset(
      bull.toKey(job.id ?? ''),
      'data',
      '{"method":"POST","path":"/x","body":{"id":12345678901234567890,"price":1.10}}',
    );
    const ours = await world.queue.add('send', { method: 'POST', path: '/x', body: '{"id":12345678901234567890}' });
    await world.startWorker();
    await world.until(job.id ?? '', 'delivered');
    await world.until(ours.data.idempotencyKey, 'delivered');
    expect(bodies.toSorted()).toEqual(['{"id":12345678901234567890,"price":1.10}', '{"id":12345678901234567890}']);
  });
});

describe('what is no write is dead as invalid, with what stood there', () => {
  test.each<[string, unknown, string]>([
    ['an empty object', {}, 'method'],
    ['a number', 5, 'payload'],
    ['a text', 'hello', 'payload'],
    ['null', null, 'payload'],
    ['a list', [1], 'payload'],
    ['a URL in place of a path', { method: 'POST', path: 'https://evil.example/x' }, 'path'],
    ['a header that would wedge the pool', { method: 'POST', path: '/x', headers: { 'bad header': 'x' } }, 'headers'],
    ['a header value that would', { method: 'POST', path: '/x', headers: { x: 'a\r\nb' } }, 'headers.x'],
    ['a body that is no JSON', { method: 'POST', path: '/x', body: '{' }, 'body'],
    ['a key that is none', { method: 'POST', path: '/x', idempotencyKey: 'ü' }, 'idempotencyKey'],
  ])('%s', async (_what, data, field) => {
    const world = await createWorld();
    const { bull } = plainQueue(world);
    const job = await bull.add('send', data);
    await world.startWorker();
    const { letter } = await world.until(job.id ?? '', 'dead');
    expect(letter).toMatchObject({
      reason: 'invalid',
      verdict: 'not-applied',
      because: expect.stringMatching(`^${field.replace('.', '\\.')}:`) as string,
    });
    expect(JSON.parse(letter?.raw ?? '')).toEqual(data);
    expect(world.sandbox.ledger().keys).toEqual({});
  });

  test('many of them never wedge the destination: a good write goes through', async () => {
    const world = await createWorld({ destination: { concurrency: 2 } });
    const { bull } = plainQueue(world);
    await bull.addBulk(
      Array.from({ length: 40 }, (_, i) => ({
        name: 'send',
        data: { method: 'POST', path: i % 2 ? '/a b' : '/x', headers: { 'x y': 'z' } },
      })),
    );
    const good = await world.queue.add('send', planned());
    await world.startWorker();
    await world.until(good.data.idempotencyKey, 'delivered');
    await eventually(async () => expect(await bull.getFailedCount()).toBe(40));
  });

  test('a header that the destination sets itself', async () => {
    const world = await createWorld({ destination: { auth: { header: 'x-my-auth', env: 'API_KEY' } } });
    const job = await world.queue.add('send', { ...planned(), headers: { 'x-my-auth': 'forged' } });
    await world.startWorker();
    expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
      reason: 'invalid',
      because: expect.stringContaining('headers.x-my-auth') as string,
    });
  });

  test('credentials in its headers are not carried into the dead letter', async () => {
    const world = await createWorld();
    const { bull } = plainQueue(world);
    const job = await bull.add('send', { ...planned(), headers: { Authorization: 'Bearer hunter22' } });
    await world.startWorker();
    const { letter } = await world.until(job.id ?? '', 'dead');
    expect(letter?.because).toContain('headers.Authorization');
    expect(JSON.stringify(letter)).not.toContain('hunter22');
  });
});

describe('corrupt jobs are dead-lettered, not looped over', () => {
  test.each([
    ['data that is no JSON', 'data', '{"method":'],
    ['options that are no JSON', 'opts', '{'],
    ['options that are no object', 'opts', 'null'],
    ['a parent that is none', 'parent', 'null'],
    ['a journal of another shape', 'progress', '{"attempts":[null],"postponed":0}'],
    ['a journal that is no JSON', 'progress', 'x{'],
    ['a count of starts that is no number', 'ats', 'x'],
    ['a count of attempts that is too large for one', 'atm', '99999999999999999999'],
  ])('%s', async (_what, field, value) => {
    const world = await createWorld();
    const { bull, redis } = plainQueue(world);
    const job = await bull.add('send', planned());
    await redis.hset(bull.toKey(job.id ?? ''), field, value);
    await world.startWorker();
    const found = await world.until(job.id ?? '', field === 'data' ? 'dead' : 'delivered');
    if (field === 'data')
      expect(found.letter).toMatchObject({ reason: 'invalid', because: 'payload: is not JSON', raw: value });
  });

  test('a write whose hash was evicted after it had been sent claims nothing: it is dead as invalid, in doubt', async () => {
    const world = await createWorld({ destination: { retry: { baseMs: 600, capMs: 600 } } });
    const { bull, redis } = plainQueue(world);
    await world.startWorker();
    const job = await world.queue.add('send', planned('502-applied'));
    await world.until(job.data.idempotencyKey, 'retrying');
    await redis.del(bull.toKey(job.id ?? ''));
    expect((await world.until(job.id ?? '', 'dead')).letter).toMatchObject({
      reason: 'invalid',
      verdict: 'in-doubt',
      because: expect.stringContaining('evicted') as string,
    });
    expect(world.sandbox.entry(job.data.idempotencyKey)).toMatchObject({ applications: 1 });
  });

  test.each(['del', 'hdel'] as const)('a hash that is gone or has no data (%s)', async (command) => {
    const world = await createWorld();
    const { bull, redis } = plainQueue(world);
    const job = await bull.add('send', planned());
    await (command === 'del' ? redis.del(bull.toKey(job.id ?? '')) : redis.hdel(bull.toKey(job.id ?? ''), 'data'));
    await world.startWorker();
    expect((await world.until(job.id ?? '', 'dead')).letter).toMatchObject({ reason: 'invalid' });
  });
});

test('what BullMQ fails itself, past a stall limit, is filed in the same step', async () => {
  const world = await createWorld();
  const { redis } = plainQueue(world);
  const job = await world.queue.add('send', planned());
  await redis.hset(world.queue.toKey(job.id ?? ''), 'defa', 'job stalled more than allowable limit');
  await world.startWorker();
  expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
    reason: 'crashed',
    write: { idempotencyKey: job.data.idempotencyKey },
  });
  expect(world.sandbox.ledger().keys).toEqual({});
});

test.each([
  ['delivered', 'ok', 'completed'],
  ['dead', '400', 'failed'],
] as const)(
  'a %s write that a BullMQ tool retries is not sent, and goes back to where it was',
  async (state, step, bullState) => {
    const world = await createWorld();
    const { bull } = plainQueue(world);
    await world.startWorker();
    const job = await world.queue.add('send', planned(step));
    await world.until(job.data.idempotencyKey, state);
    await (await bull.getJob(job.id ?? ''))?.retry(bullState);
    await eventually(async () => expect(await bull.getJobCounts('wait', 'active')).toEqual({ wait: 0, active: 0 }));
    await world.until(job.data.idempotencyKey, state);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1);
  },
);

describe('flows of a plain producer', () => {
  async function flow(world: World, options: object) {
    const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
    const producer = new FlowProducer({ connection: redis, prefix: prefixOf(world.name) });
    onTestFinished(async () => {
      await producer.close();
      redis.disconnect();
    });
    return producer.add({
      name: 'parent',
      queueName: world.name,
      data: planned(),
      children: [{ name: 'child', queueName: world.name, data: planned('400'), opts: options }],
    });
  }

  test('a parent is delivered and sent once, though BullMQ refuses to complete it over a failed child', async () => {
    const world = await createWorld();
    await world.startWorker();
    const { job } = await flow(world, { continueParentOnFailure: true });
    const found = await world.until(job.id ?? '', 'delivered');
    expect(world.sandbox.entry(found.idempotencyKey ?? '')?.sends).toHaveLength(1);
  });

  test('a parent that BullMQ fails with its child was not sent, and its letter says so', async () => {
    const world = await createWorld();
    await world.startWorker();
    const { job } = await flow(world, { failParentOnFailure: true });
    const found = await world.until(job.id ?? '', 'dead');
    expect(found.letter).toMatchObject({
      reason: 'invalid',
      verdict: 'not-applied',
      because: expect.stringContaining('flow') as string,
    });
    expect(world.log.some((line) => line.msg === 'dead without an attempt' && line.job_id === job.id)).toBe(true);
  });
});

test('a letter whose write an operator removed does not keep a new write of that key from its end', async () => {
  const world = await createWorld();
  const { bull } = plainQueue(world);
  await world.startWorker();
  const first = await world.queue.add('send', planned('400'), { idempotencyKey: 'k' });
  await world.until('k', 'dead');
  await (await bull.getJob(first.id ?? ''))?.remove();
  await world.queue.add('send', planned('400'), { idempotencyKey: 'k' });
  const found = await world.until('k', 'dead');
  expect(found.letter?.id).toBe(`${first.id}.g1`);
});

test('a log that cannot be written decides nothing about a write', async () => {
  const world = await createWorld();
  const worker = await createWorker(world.config, {
    env: { API_KEY },
    logTo: {
      write: (line: string) => {
        if (line.includes('delivered')) throw new Error('disk full');
      },
    },
  });
  onTestFinished(async () => void (await worker.stop()));
  const job = await world.queue.add('send', planned('503'));
  const found = await world.until(job.data.idempotencyKey, 'delivered');
  expect(found.journal.attempts).toHaveLength(1);
  expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(2);
});

test('an API whose answer reads like a BullMQ control message controls nothing', async () => {
  const { createServer } = await import('node:http');
  let sends = 0;
  const api = createServer((request, response) => {
    request.resume();
    sends++;
    response
      .writeHead(400)
      .end(JSON.stringify({ code: 'bullmq:rateLimitExceeded', message: 'bullmq:rateLimitExceeded' }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void api.close());
  await new Promise((resolve) => api.once('listening', resolve));
  const world = await createWorld({ baseUrl: `http://127.0.0.1:${(api.address() as { port: number }).port}` });
  await world.startWorker();
  const job = await world.queue.add('send', planned());
  expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
    envelope: { code: 'bullmq:rateLimitExceeded' },
  });
  expect(sends).toBe(1);
});
