// Replay, discard and restore on a real Redis, with real workers behind them.
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { type Act, audit } from '../../queue/acts.ts';
import { countLetters, getLetter, letters } from '../../queue/dead-letters.ts';
import { find, type Found } from '../../queue/find.ts';
import { prefixOf } from '../../queue/keys.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import type { AddOptions } from '../../producer/index.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'the API is well again' };
const BEN = { by: 'ben', reason: 'it is not wanted any more' };

/** A write that has died of its plan. */
async function died(world: World, plan: string[], options: AddOptions = {}): Promise<Found & { letterId: string }> {
  const job = await world.queue.add('send', planned(...plan), options);
  const found = await world.until(job.data.idempotencyKey, 'dead');
  return { ...found, letterId: found.letter?.id ?? '' };
}

const keyOf = ({ idempotencyKey = '' }: Found): string => idempotencyKey;

describe('a replay', () => {
  test('sends the dead write again under its own key, as its next generation with its own attempts', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['503', '503', '401', 'ok'], { maxAttempts: 3 });
    expect(dead.journal.attempts).toHaveLength(3);
    const replayed = await replay(world.reader, world.name, dead.letterId, ANN);
    expect(replayed).toMatchObject({ jobId: dead.jobId, idempotencyKey: keyOf(dead), generation: 1 });
    const found = await world.until(keyOf(dead), 'delivered');
    expect(found).toMatchObject({ verdict: 'applied-once', delivery: { attempts: 1 }, journal: { generation: 1 } });
    expect(found.lineage).toMatchObject([
      { id: dead.letterId, reason: 'rejected', state: 'replayed', acts: [{ act: 'replay', by: 'ann', generation: 1 }] },
    ]);
    expect(found.enqueuedAt).toBe(dead.enqueuedAt);
    await assertAppliedOnce(world.sandbox, keyOf(dead));
    expect((await countLetters(world.reader, world.name)).count).toBe(0);
  });

  test('that dies again leaves a dead letter of its own generation', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['401', '403', 'ok']);
    await replay(world.reader, world.name, dead.letterId, ANN);
    const again = await eventually(async () => {
      const found = await world.until(keyOf(dead), 'dead');
      expect(found.letter?.id).not.toBe(dead.letterId);
      return found;
    });
    expect(again).toMatchObject({
      letter: { id: `${dead.jobId}.g1`, status: 403, journal: { generation: 1 } },
      lineage: [{ id: `${dead.jobId}.g0` }],
    });
    await replay(world.reader, world.name, again.letter?.id ?? '', ANN);
    expect((await world.until(keyOf(dead), 'delivered')).lineage).toHaveLength(2);
  });

  test('keeps the doubt of the generation before until the API settles it', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['reset-after', '503', 'ok'], { maxAttempts: 1 });
    expect(dead.verdict).toBe('in-doubt');
    await replay(world.reader, world.name, dead.letterId, ANN);
    const again = await eventually(async () => {
      const [found] = await find(world.reader, `${dead.jobId}.g1`, world.name);
      expect(found?.letter?.id).toBe(`${dead.jobId}.g1`);
      return found as Found;
    });
    // 503 alone proves that this send was not applied, and nothing about the one before.
    expect(again.verdict).toBe('in-doubt');
    await replay(world.reader, world.name, `${dead.jobId}.g1`, ANN);
    expect(await world.until(keyOf(dead), 'delivered')).toMatchObject({
      verdict: 'applied-once',
      delivery: { replayed: true },
    });
    await assertAppliedOnce(world.sandbox, keyOf(dead));
  });

  test('under a new key is a new write that names the letter it came from; the old key shows where it went', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['400', 'ok']);
    const replayed = await replay(world.reader, world.name, dead.letterId, ANN, { newKey: 'a-new-key' });
    expect(replayed).toMatchObject({ idempotencyKey: 'a-new-key', generation: 0 });
    const found = await world.until('a-new-key', ['delivered', 'dead']);
    expect(found.origin).toBe(dead.letterId);
    const [old] = await find(world.reader, keyOf(dead), world.name);
    expect(old).toMatchObject({ state: 'replaced', replacedBy: { idempotencyKey: 'a-new-key', jobId: found.jobId } });
    // The same key and payload is a duplicate still: nothing comes back to life by a producer's repeating.
    const repeated = await world.queue.add('send', { ...planned('400', 'ok'), idempotencyKey: keyOf(dead) });
    expect(repeated.duplicate).toBe(true);
  });

  test('under a new key is refused while the write is in doubt, unless a double application is accepted', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['reset-after'], { maxAttempts: 1 });
    const asked = (acceptDouble: boolean) =>
      replay(world.reader, world.name, dead.letterId, ANN, { newKey: 'doubled', acceptDouble });
    await expect(asked(false)).rejects.toMatchObject({ code: 'REPLAY_REFUSED', field: 'IN_DOUBT' });
    expect(await asked(true)).toMatchObject({ doubleAccepted: true });
    expect((await world.until('doubled', 'dead')).journal.doubtBefore).toBe('final');
    const acts = await Array.fromAsync(audit(world.reader, world.name));
    expect(acts).toMatchObject([{ act: 'replay', doubleAccepted: true, by: 'ann' }]);
  });

  test('past the life of the key is refused while in doubt', async () => {
    const world = await createWorld({
      sandbox: { keyTtlMs: 3000 },
      destination: { idempotency: { ttlMs: 3000 }, timeoutMs: 500 },
    });
    await world.startWorker();
    const dead = await died(world, ['reset-after'], { maxAttempts: 1 });
    await eventually(async () => {
      const refused = replay(world.reader, world.name, dead.letterId, ANN, { newKey: true });
      await expect(refused).rejects.toMatchObject({ field: 'IN_DOUBT' });
      expect(Date.now()).toBeGreaterThan(dead.letter?.keyExpiresAt ?? Infinity);
    });
    await expect(replay(world.reader, world.name, dead.letterId, ANN)).rejects.toMatchObject({
      code: 'REPLAY_REFUSED',
      field: 'KEY_EXPIRED',
    });
    await replay(world.reader, world.name, dead.letterId, ANN, { acceptDouble: true });
    expect((await world.until(keyOf(dead), 'delivered')).verdict).toBe('in-doubt');
  });

  test('that the API answers with its stored rejection says so, and asks for a new key', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['400']);
    await replay(world.reader, world.name, dead.letterId, ANN);
    const again = await eventually(async () => {
      const letter = await getLetter(world.reader, world.name, `${dead.jobId}.g1`);
      expect(letter).toBeDefined();
      return letter;
    });
    expect(again?.because).toContain('a new key is needed');
    expect(await replay(world.reader, world.name, `${dead.jobId}.g1`, ANN)).toMatchObject({
      advice: expect.stringContaining('a new key is needed') as string,
    });
  });

  test('keeps the priority and the attempts that the write was added with', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const dead = await died(world, ['401'], { maxAttempts: 7, priority: 9 });
    await worker.stop();
    await replay(world.reader, world.name, dead.letterId, ANN);
    const job = await world.reader.queue(world.name).getJob(dead.jobId);
    expect(job).toMatchObject({ priority: 9, opts: { attempts: 7 }, attemptsMade: 0, attemptsStarted: 0 });
    expect(await job?.getState()).toBe('prioritized');
  });

  test('stores the job that Queue.add stores, and the fields of ours', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const dead = await died(world, ['401']);
    await worker.stop();
    await replay(world.reader, world.name, dead.letterId, ANN);
    const redis = new Redis(redisUrl());
    const plain = new Queue(world.name, { connection: redis, prefix: prefixOf(world.name) });
    onTestFinished(async () => {
      await plain.close();
      redis.disconnect();
    });
    const ours = await redis.hgetall(plain.toKey(dead.jobId));
    const theirs = await plain.add('send', JSON.parse(ours.data ?? ''), {
      jobId: 'plain-job',
      attempts: 5,
      backoff: { type: 'custom' },
      timestamp: Number(ours.timestamp),
    });
    const expected = await redis.hgetall(plain.toKey(theirs.id ?? ''));
    const { timestamp: _, ...options } = JSON.parse(expected.opts ?? '') as Record<string, unknown>;
    expect({ ...ours, opts: JSON.parse(ours.opts ?? '') as unknown }).toEqual({
      ...expected,
      opts: { ...options, jobId: dead.jobId },
      wbh: expect.any(String) as string,
      progress: expect.stringContaining('"generation":1') as string,
    });
    expect(await plain.getWaiting()).toHaveLength(2);
  });

  test.each([
    ['waits', undefined],
    ['was delivered', 'delivered'],
    ['died', 'dead'],
  ] as const)(
    'is refused, under either key, where its job was removed by hand and its key added again: that write %s',
    async (_how, state) => {
      const world = await createWorld();
      const worker = await world.startWorker();
      const dead = await died(world, ['401', state === 'dead' ? '403' : 'ok']);
      if (!state) await worker.stop();
      await (await world.reader.queue(world.name).getJob(dead.jobId))?.remove();
      await world.queue.add('send', {
        ...planned('401', state === 'dead' ? '403' : 'ok'),
        idempotencyKey: keyOf(dead),
      });
      if (state) {
        await eventually(async () => {
          const [found] = await find(world.reader, keyOf(dead), world.name);
          expect([found?.state, found?.letter?.id]).toEqual([state, state === 'dead' ? `${dead.jobId}.g1` : undefined]);
        });
      }
      for (const options of [{}, { newKey: true as const }, { newKey: 'another', acceptDouble: true }]) {
        await expect(replay(world.reader, world.name, dead.letterId, ANN, options)).rejects.toMatchObject({
          code: 'REPLAY_REFUSED',
          field: 'BUSY',
        });
      }
      expect(await Array.fromAsync(audit(world.reader, world.name))).toEqual([]);
      await discard(world.reader, world.name, dead.letterId, ANN);
    },
  );

  test('may not name its own key as the new one, also where the job bears another id', async () => {
    const world = await createWorld();
    await world.startWorker();
    const foreign = world.reader.queue(world.name);
    await foreign.add('send', { ...planned('401'), idempotencyKey: 'own' }, { jobId: 'foreign-1' });
    const { letter } = await world.until('foreign-1', 'dead');
    await expect(replay(world.reader, world.name, letter?.id ?? '', ANN, { newKey: 'own' })).rejects.toMatchObject({
      code: 'INVALID_WRITE',
      field: 'newKey',
    });
  });

  test('works without the tombstone: the letter alone is enough', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['401', 'ok']);
    await (await world.reader.queue(world.name).getJob(dead.jobId))?.remove();
    await replay(world.reader, world.name, dead.letterId, ANN);
    await world.until(keyOf(dead), 'delivered');
  });
});

describe('a discarded write', () => {
  test('leaves the dead letters, shows who discarded it and why, and can be restored and replayed', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['401', 'ok']);
    await discard(world.reader, world.name, dead.letterId, BEN);
    expect((await countLetters(world.reader, world.name)).count).toBe(0);
    expect(await Array.fromAsync(letters(world.reader, world.name, { state: 'discarded' }))).toHaveLength(1);
    const [found] = await find(world.reader, keyOf(dead), world.name);
    expect(found).toMatchObject({ state: 'discarded', letter: { acts: [{ act: 'discard', ...BEN }] } });
    await restore(world.reader, world.name, dead.letterId, ANN);
    expect(await world.until(keyOf(dead), 'dead')).toMatchObject({
      letter: { state: 'open', deadAt: dead.letter?.deadAt },
    });
    expect(await world.reader.queue(world.name, `${world.name}.dead`).getJobState(dead.letterId)).toBe('prioritized');
    await replay(world.reader, world.name, dead.letterId, ANN);
    await world.until(keyOf(dead), 'delivered');
    const acts = await Array.fromAsync(audit(world.reader, world.name));
    expect(acts.map(({ act, by }) => `${act} by ${by}`)).toEqual(['replay by ann', 'restore by ann', 'discard by ben']);
  });

  test.each(['replay', 'discard'] as const)('is not %sed again: the operator is told who was first', async (kind) => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['401']);
    await discard(world.reader, world.name, dead.letterId, BEN);
    const act = { replay, discard }[kind];
    await expect(act(world.reader, world.name, dead.letterId, ANN)).rejects.toMatchObject({
      code: 'LETTER_HANDLED',
      message: expect.stringMatching(/already discarded by ben at .*: it is not wanted any more/) as string,
    });
  });
});

test('an open letter cannot be restored, and a letter that is none is told as such', async () => {
  const world = await createWorld();
  await world.startWorker();
  const dead = await died(world, ['401']);
  await expect(restore(world.reader, world.name, dead.letterId, ANN)).rejects.toMatchObject({ code: 'LETTER_HANDLED' });
  await expect(discard(world.reader, world.name, 'wNone.g0', ANN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test.each([
  ['by', { by: ' ', reason: 'x' }],
  ['reason', { by: 'ann', reason: '' }],
])('an act without its %s is refused', async (field, operator) => {
  const world = await createWorld();
  await expect(discard(world.reader, world.name, 'wNone.g0', operator)).rejects.toMatchObject({
    code: 'INVALID_WRITE',
    field,
  });
});

test('of many operators at one letter one wins, and every other is told; the audit stream holds what was done', async () => {
  const world = await createWorld();
  await world.startWorker();
  const dead = await died(world, ['401', 'ok']);
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, i) =>
      (i % 2 === 0 ? replay : discard)(world.reader, world.name, dead.letterId, {
        by: `operator ${i}`,
        reason: 'race',
      }),
    ),
  );
  const won = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
  expect(won).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({
        code: 'LETTER_HANDLED',
        message: expect.stringContaining(`by operator ${won[0]} at`) as string,
      });
  }
  const acts = (await Array.fromAsync(audit(world.reader, world.name))) as Act[];
  expect(acts.map(({ by }) => by)).toEqual([`operator ${won[0]}`]);
});

test('a discarded letter without the time of its death can be restored all the same', async () => {
  const world = await createWorld();
  await world.startWorker();
  const dead = await died(world, ['401']);
  await discard(world.reader, world.name, dead.letterId, BEN);
  const key = world.reader.queue(world.name, `${world.name}.dead`).toKey(dead.letterId);
  await world.reader.client.hdel(key, 'timestamp');
  await restore(world.reader, world.name, dead.letterId, ANN);
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
});

test('a dead letter that cannot be read can be discarded and restored, never replayed', async () => {
  const world = await createWorld();
  await world.startWorker();
  const dead = await died(world, ['401']);
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const deadQueue = world.reader.queue(world.name, `${world.name}.dead`);
  await redis.hset(deadQueue.toKey(dead.letterId), 'data', '{"half":');
  await expect(replay(world.reader, world.name, dead.letterId, ANN)).rejects.toMatchObject({ field: 'NOT_A_WRITE' });
  await discard(world.reader, world.name, dead.letterId, BEN);
  expect(await Array.fromAsync(letters(world.reader, world.name, { state: 'discarded' }))).toMatchObject([
    { id: dead.letterId, state: 'discarded', unreadable: expect.any(String) as string },
  ]);
  await restore(world.reader, world.name, dead.letterId, ANN);
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
  // What is no letter at all is left alone.
  await redis.del(deadQueue.toKey(dead.letterId));
  await redis.set(deadQueue.toKey(dead.letterId), 'x');
  await expect(discard(world.reader, world.name, dead.letterId, BEN)).rejects.toMatchObject({ code: 'LETTER_HANDLED' });
});
