// What Waybill's composed scripts write is what BullMQ's own calls would have written: the fields of each hash, where
// each id stands, and the events. This is what makes it safe to import BullMQ's scripts.
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { prefixOf } from '../../queue/keys.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import { classOf } from '../../queue/letter-class.ts';
import { LETTER_JOB_NAME, LETTER_PRIORITY } from '../../queue/letter-job.ts';
import { storedLetter } from '../../queue/stored-letter.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

async function plain() {
  const name = freshDestination('plain');
  const connection = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const options = { connection, prefix: prefixOf(name) };
  const queue = new Queue(name, options);
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
    await cleanUp([name]);
  });
  return { name, options, queue, connection };
}

const shape = (hash: Record<string, string>): string[] =>
  Object.keys(hash)
    .filter((field) => field !== 'wbh')
    .toSorted();

test('a write that add() stores is the job that Queue.add stores, less a delay and a priority of 0, and one field more: the hash of its payload', async () => {
  const { queue: bull, connection } = await plain();
  for (const opts of [{}, { delay: 60_000 }, { priority: 5 }]) {
    const { queue } = await createWorld();
    const ours = await queue.add('send', planned(), opts);
    const theirs = await bull.add('send', ours.data, {
      ...opts,
      jobId: ours.id ?? '',
      attempts: 5,
      backoff: { type: 'custom' },
    });
    const [a, b] = [
      await connection.hgetall(queue.toKey(ours.id ?? '')),
      await connection.hgetall(bull.toKey(theirs.id ?? '')),
    ];
    for (const field of ['delay', 'priority'])
      if (!Object.values(opts).some((value) => value > 0)) {
        expect(b[field]).toBe('0');
        delete b[field];
      }
    expect(shape(a)).toEqual(shape(b));
    expect({ name: a.name, data: a.data, delay: a.delay, priority: a.priority }).toEqual({
      name: b.name,
      data: b.data,
      delay: b.delay,
      priority: b.priority,
    });
    const { jobId: _, ...stored } = JSON.parse(b.opts ?? '{}') as Record<string, unknown>;
    expect(JSON.parse(a.opts ?? '{}')).toEqual(stored);
    expect(await queue.getJobState(ours.id ?? '')).toBe(await bull.getJobState(theirs.id ?? ''));
  }
});

test('a dead letter is the job that Queue.add stores in a sorted state, less what no queue of letters needs', async () => {
  const world = await createWorld();
  await world.startWorker();
  const job = await world.queue.add('send', planned('400'));
  const found = await world.until(job.data.idempotencyKey, 'dead');
  const { state: _state, acts: _acts, ...letter } = found.letter as FiledLetter;
  const dead = world.reader.queue(world.name, `${world.name}.dead`);
  const { queue: bull, connection } = await plain();
  const data = JSON.parse(storedLetter(letter)) as Record<string, unknown>;
  const theirs = await bull.add(LETTER_JOB_NAME, data, {
    jobId: letter.id,
    priority: LETTER_PRIORITY,
    timestamp: letter.deadAt,
    removeOnComplete: false,
    removeOnFail: false,
  });
  const [a, b] = [
    await connection.hgetall(dead.toKey(letter.id)),
    await connection.hgetall(bull.toKey(theirs.id ?? '')),
  ];
  const { wbc, ...ours } = a;
  const { opts: _opts, delay: _delay, priority: _priority, ...kept } = b;
  expect(ours).toEqual(kept);
  expect(wbc).toBe(classOf(letter).id);
  expect(await dead.getJobState(letter.id)).toBe('prioritized');
  expect((await dead.getJob(letter.id))?.data).toEqual(data);
});

test.each([
  ['ok', 'delivered', 'completed'],
  ['400', 'dead', 'failed'],
] as const)(
  'a write settled by %s leaves the states and events that a plain Worker leaves, and of its fields those that answer its key',
  async (step, ours, theirs) => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned(step));
    await world.until(job.data.idempotencyKey, ours);

    const { queue: bull, options, connection } = await plain();
    const worker = new Worker(
      bull.name,
      () =>
        step === 'ok' ? Promise.resolve({ status: 201 }) : Promise.reject(new UnrecoverableError('dead: rejected')),
      { ...options, name: 'w', removeOnComplete: { age: 3600 } },
    );
    onTestFinished(() => worker.close());
    const other = await bull.add('send', job.data, { attempts: 5, backoff: { type: 'custom' } });
    await eventually(async () => expect(await bull.getJobState(other.id ?? '')).toBe(theirs));

    const [a, b] = [
      await connection.hgetall(world.queue.toKey(job.id ?? '')),
      await connection.hgetall(bull.toKey(other.id ?? '')),
    ];
    if (ours === 'dead') {
      expect(shape(a)).toEqual(['data', 'name', 'timestamp']);
      // So that a hundred thousand of them have room: each value is within Redis' own bound.
      expect(await connection.object('ENCODING', world.queue.toKey(job.id ?? ''))).toMatch(/^(listpack|ziplist)$/);
    } else {
      expect(shape(a)).toEqual(['ats', 'data', 'finishedOn', 'name', 'timestamp']);
      expect({ name: a.name, ats: a.ats, timestamp: a.timestamp }).toEqual({
        name: b.name,
        ats: b.ats,
        timestamp: String(job.timestamp),
      });
    }
    expect(await world.queue.getJobState(job.id ?? '')).toBe(theirs);
    const kinds = async (queue: Queue, id = ''): Promise<string[]> =>
      ((await connection.xrange(queue.toKey('events'), '-', '+')) as [string, string[]][])
        .filter(([, fields]) => fields.includes(id))
        .map(([, fields]) => fields[1] ?? '');
    expect(await kinds(world.queue as unknown as Queue, job.id)).toEqual(await kinds(bull, other.id));
    expect(await world.queue.getJobCounts('active', 'wait')).toEqual({ active: 0, wait: 0 });
    expect(await connection.exists(`${world.queue.toKey(job.id ?? '')}:lock`)).toBe(0);
  },
);

test('a settled write keeps its answer and its key, a dead one its letter, and neither headers nor body', async () => {
  const world = await createWorld();
  await world.startWorker();
  for (const [step, state] of [
    ['ok', 'delivered'],
    ['400', 'dead'],
  ] as const) {
    const write = planned(step);
    const job = await world.queue.add('send', { ...write, headers: { 'x-trace': 'abc' } });
    const found = await world.until(job.data.idempotencyKey, state);
    const data = await world.reader.client.hget(world.queue.toKey(job.id ?? ''), 'data');
    expect(data).not.toMatch(/phone_number|x-trace/);
    expect(JSON.parse(data ?? '')).toMatchObject({
      settled: state,
      ...(state === 'delivered'
        ? { path: write.path, idempotencyKey: job.data.idempotencyKey }
        : { letter: found.letter?.id }),
    });
    expect(found).toMatchObject({ method: 'POST', path: write.path, idempotencyKey: job.data.idempotencyKey });
    if (state === 'delivered')
      expect(found.delivery).toMatchObject({
        status: 201,
        requestId: expect.any(String) as string,
        deliveredAt: expect.any(Number) as number,
      });
    else expect(found.letter?.write).toMatchObject({ headers: { 'x-trace': 'abc' }, body: job.data.body });
  }
});

test('what a delivered write leaves does not grow with the body that it had', async () => {
  const world = await createWorld();
  const redis = world.reader.client as Redis;
  const [, before] = await redis.config('GET', 'hash-max-listpack-value');
  onTestFinished(async () => void (await redis.config('SET', 'hash-max-listpack-value', String(before))));
  await redis.config('SET', 'hash-max-listpack-value', 1024);
  await world.startWorker();
  const sizes: number[] = [];
  for (const length of [10, 100_000]) {
    const write = planned();
    const job = await world.queue.add('send', {
      ...write,
      body: { ...(write.body as object), text: 'x'.repeat(length) },
    });
    await world.until(job.data.idempotencyKey, 'delivered');
    sizes.push((await redis.memory('USAGE', world.queue.toKey(job.id ?? ''))) ?? 0);
  }
  // By a digit of a time it may be in the allocator's next size.
  expect(Math.abs((sizes[1] ?? 0) - (sizes[0] ?? 0))).toBeLessThanOrEqual(128);
  expect(Math.max(...sizes)).toBeLessThan(700);
});
