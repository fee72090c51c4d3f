// A probe on a real Redis, with a real worker that sends it to the sandbox: what the answer settles, and what stays.
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import type { AddOptions } from '../../producer/index.ts';
import { audit } from '../../queue/acts.ts';
import { countLetters, getLetter } from '../../queue/dead-letters.ts';
import { find } from '../../queue/find.ts';
import { auditKey, deadQueueName, prefixOf } from '../../queue/keys.ts';
import { discard, replay } from '../../queue/operate.ts';
import type { Reader } from '../../queue/reader.ts';
import { probe, type ProbeAnswer, waitForAnswer } from '../../queue/probe.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'the customer asks' };
const LIMIT_MS = 15_000;

interface Dead {
  key: string;
  jobId: string;
  letter: string;
}

/** A write that has died of its plan's first step. */
async function died(world: World, plan: string[], options: AddOptions = { maxAttempts: 1 }): Promise<Dead> {
  const { data } = await world.queue.add('send', planned(...plan), options);
  const { jobId, letter } = await world.until(data.idempotencyKey, 'dead');
  return { key: data.idempotencyKey, jobId, letter: letter?.id ?? '' };
}

async function probed(world: World, { letter }: Dead): Promise<ProbeAnswer> {
  return waitForAnswer(world.reader, await probe(world.reader, world.name, letter, ANN), LIMIT_MS);
}

const sendsOf = (world: World, key: string): number => world.sandbox.entry(key)?.sends.length ?? 0;

/** Its reader, whose first looks at a letter fail. */
function failing(world: World, error: Error, times: number): { reader: Reader; failed: () => number } {
  let failed = 0;
  const client = new Proxy(world.reader.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown =>
        failed < times ? (failed++, Promise.reject(error)) : (value.apply(target, given) as unknown);
    },
  });
  const reader = new Proxy(world.reader, {
    get: (target, name): unknown => {
      if (name === 'client') return client;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { reader, failed: () => failed };
}

describe('a probe', () => {
  test.each([
    ['was applied and never answered', 'hang-applied', true],
    ['never reached the API', 'reset-before', false],
    ['was applied behind a 502', '502-applied', true],
  ])('of a write that %s delivers it, applied once, and closes its letter', async (_, first, replayed) => {
    const world = await createWorld({ destination: { timeoutMs: 500 } });
    await world.startWorker();
    const dead = await died(world, [first, 'ok']);
    expect(await probed(world, dead)).toEqual({
      says: 'delivered',
      status: 201,
      requestId: expect.any(String) as string,
    });
    const [found] = await find(world.reader, dead.key, world.name);
    expect(found).toMatchObject({
      state: 'delivered',
      verdict: 'applied-once',
      journal: { generation: 1, probe: true },
      delivery: { attempts: 1, ...(replayed && { replayed: true }) },
      lineage: [{ id: dead.letter, state: 'replayed', acts: [{ act: 'probe', by: 'ann', verdict: 'in-doubt' }] }],
    });
    expect((await countLetters(world.reader, world.name)).count).toBe(0);
    await assertAppliedOnce(world.sandbox, dead.key);
    expect(sendsOf(world, dead.key)).toBe(2);
    expect(await Array.fromAsync(audit(world.reader, world.name))).toMatchObject([
      { act: 'probe', ...ANN, letter: dead.letter, jobId: dead.jobId, verdict: 'in-doubt', generation: 1 },
    ]);
  });

  test('that the API rejects after it looked the key up settles the doubt as not applied', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['reset-before', '422']);
    const next = `${dead.jobId}.g1`;
    expect(await probed(world, dead)).toMatchObject({ says: 'not-applied', status: 422, letter: next });
    expect(await getLetter(world.reader, world.name, next)).toMatchObject({
      reason: 'rejected',
      verdict: 'not-applied',
      state: 'open',
    });
    expect(world.sandbox.entry(dead.key)?.applications).toBe(0);
  });

  test.each([
    ['502-applied', '403', 'rejected', /^HTTP 403 is not retried$/],
    ['reset-after', '503', 'exhausted', /^HTTP 503; a probe has one attempt$/],
    ['reset-before', 'reset-before', 'exhausted', /^no answer \(.*\); a probe has one attempt$/],
  ])(
    'of %s that gets %s proves nothing: a letter of the next generation, in doubt',
    async (first, then, reason, because) => {
      const world = await createWorld();
      await world.startWorker();
      // The write itself would have attempts enough.
      const dead = await died(world, ['302', first, then, 'ok'], {});
      const { letter: second = '' } = await probed(world, dead);
      const third = await probed(world, { ...dead, letter: second });
      expect(third).toMatchObject({ says: 'in-doubt', letter: `${dead.jobId}.g2` });
      const letter = await getLetter(world.reader, world.name, third.letter ?? '');
      expect(letter).toMatchObject({
        reason,
        verdict: 'in-doubt',
        journal: { probe: true, attempts: [{ attempt: 1 }] },
      });
      expect(letter?.because).toMatch(because);
      expect(sendsOf(world, dead.key)).toBe(3);
    },
  );

  test('that proved nothing leaves no mark: a replay of what it left has all its attempts again', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['302', '503', '503', 'ok'], {});
    const { letter = '' } = await probed(world, dead);
    await replay(world.reader, world.name, letter, ANN);
    const found = await world.until(dead.key, 'delivered');
    expect(found).toMatchObject({ verdict: 'applied-once', delivery: { attempts: 2 }, journal: { generation: 2 } });
    expect(found.journal).not.toHaveProperty('probe');
  });

  test('waits while the API still processes the key, and spends nothing on it', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['reset-before', 'in-progress', 'in-progress', 'ok']);
    expect(await probed(world, dead)).toMatchObject({ says: 'delivered' });
    const [found] = await find(world.reader, dead.key, world.name);
    expect(found).toMatchObject({ delivery: { attempts: 1 }, journal: { postponed: 2, probe: true } });
  });

  test('whose worker is stopped in the middle goes to another one, as a probe still', async () => {
    const world = await createWorld({ destination: { timeoutMs: 10_000 } });
    const worker = await world.startWorker();
    const dead = await died(world, ['302', 'hang', '503', 'ok'], {});
    const going = await probe(world.reader, world.name, dead.letter, ANN);
    await eventually(() => expect(sendsOf(world, dead.key)).toBe(2));
    expect(await waitForAnswer(world.reader, going, 0)).toEqual({ says: 'waiting' });
    await worker.stop(AbortSignal.timeout(50));
    await world.startWorker();
    expect(await waitForAnswer(world.reader, going, LIMIT_MS)).toMatchObject({ says: 'in-doubt', status: 503 });
    expect(sendsOf(world, dead.key)).toBe(3);
  });

  test('that no worker takes is waited for within its limit, or until a signal, and answers when one does', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const dead = await died(world, ['reset-after', 'ok']);
    await worker.stop(AbortSignal.timeout(2000));
    const going = await probe(world.reader, world.name, dead.letter, ANN);
    expect(await waitForAnswer(world.reader, going, 100)).toEqual({ says: 'waiting' });
    expect(await waitForAnswer(world.reader, going, LIMIT_MS, AbortSignal.timeout(50))).toEqual({ says: 'waiting' });
    expect(await waitForAnswer(world.reader, going, LIMIT_MS, AbortSignal.abort())).toEqual({ says: 'waiting' });
    await world.startWorker();
    expect(await waitForAnswer(world.reader, going, LIMIT_MS)).toMatchObject({ says: 'delivered' });
  });

  test('whose looks fail for a while is answered by the next one; one that Redis refuses, or that still fails at the end, throws', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, ['reset-after', 'ok']);
    const going = await probe(world.reader, world.name, dead.letter, ANN);
    const late = new Error('Command timed out');
    const slow = failing(world, late, 3);
    expect(await waitForAnswer(slow.reader, going, LIMIT_MS)).toMatchObject({ says: 'delivered' });
    expect(slow.failed()).toBe(3);
    const away = failing(world, late, Infinity);
    await expect(waitForAnswer(away.reader, going, 100)).rejects.toBe(late);
    expect(away.failed()).toBeGreaterThan(1);
    const refusal = Object.assign(new Error('NOPERM no permissions'), { name: 'ReplyError' });
    const refused = failing(world, refusal, Infinity);
    await expect(waitForAnswer(refused.reader, going, LIMIT_MS)).rejects.toBe(refusal);
    expect(refused.failed()).toBe(1);
  });

  test.each(['its letter was taken away', 'its letter and its job were taken away'])(
    'whose answer is kept no more, since %s, says so at once',
    async (what) => {
      const world = await createWorld();
      const redis = new Redis(redisUrl());
      onTestFinished(() => redis.disconnect());
      await world.startWorker();
      const dead = await died(world, ['reset-after', '403']);
      const going = await probe(world.reader, world.name, dead.letter, ANN);
      const { letter = '' } = await waitForAnswer(world.reader, going, LIMIT_MS);
      await redis.del(`${prefixOf(world.name)}:${deadQueueName(world.name)}:${letter}`);
      if (what.includes('job')) await redis.del(`${prefixOf(world.name)}:${world.name}:${dead.jobId}`);
      expect(await waitForAnswer(world.reader, going, 600_000)).toEqual({ says: 'gone' });
    },
  );

  test('that waits for a worker until the API may have forgotten the key is not sent', async () => {
    const world = await createWorld({ destination: { idempotency: { ttlMs: 3000 }, timeoutMs: 500 } });
    const worker = await world.startWorker();
    const dead = await died(world, ['reset-after', 'ok']);
    await worker.stop(AbortSignal.timeout(2000));
    const going = await probe(world.reader, world.name, dead.letter, ANN);
    const { keyUsableUntil = 0 } = (await getLetter(world.reader, world.name, dead.letter)) ?? {};
    await eventually(() => expect(Date.now()).toBeGreaterThan(keyUsableUntil));
    await world.startWorker();
    expect(await waitForAnswer(world.reader, going, LIMIT_MS)).toMatchObject({ says: 'in-doubt' });
    const letter = await getLetter(world.reader, world.name, `${dead.jobId}.g1`);
    expect(letter).toMatchObject({ reason: 'key-expired', verdict: 'in-doubt' });
    expect(sendsOf(world, dead.key)).toBe(1);
    await expect(probe(world.reader, world.name, letter?.id ?? '', ANN)).rejects.toMatchObject({
      code: 'REPLAY_REFUSED',
      field: expect.stringMatching(/^KEY_(ENDING|EXPIRED)$/) as string,
    });
  });

  test('is refused where there is no doubt, or none that an answer could settle, and changes nothing', async () => {
    const world = await createWorld();
    await world.startWorker();
    const rejected = await died(world, ['400']);
    const doubtful = await died(world, ['reset-after', '403']);
    await replay(world.reader, world.name, doubtful.letter, ANN, { newKey: 'doubled', acceptDouble: true });
    const { letter } = await eventually(() => world.until('doubled', 'dead'));
    const before = await Array.fromAsync(audit(world.reader, world.name));
    for (const [id, field] of [
      [rejected.letter, 'NOT_IN_DOUBT'],
      [letter?.id ?? '', 'DOUBT_FINAL'],
    ] as const)
      await expect(probe(world.reader, world.name, id, ANN)).rejects.toMatchObject({ code: 'REPLAY_REFUSED', field });
    await expect(probe(world.reader, world.name, doubtful.letter, ANN)).rejects.toMatchObject({
      code: 'LETTER_HANDLED',
    });
    await expect(probe(world.reader, world.name, 'nobody.g0', ANN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await Array.fromAsync(audit(world.reader, world.name))).toEqual(before);
  });

  test('of two people at once, and of one who asks again, one is done', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const dead = await died(world, ['reset-after', 'ok']);
    await worker.stop(AbortSignal.timeout(2000));
    const asked = await Promise.allSettled([
      probe(world.reader, world.name, dead.letter, { ...ANN, actId: 'once' }),
      probe(world.reader, world.name, dead.letter, { ...ANN, actId: 'once' }),
      discard(world.reader, world.name, dead.letter, { by: 'ben', reason: 'not wanted' }),
      probe(world.reader, world.name, dead.letter, { by: 'cy', reason: 'me too' }),
    ]);
    const done = await Array.fromAsync(audit(world.reader, world.name));
    expect(done).toHaveLength(1);
    const lost = asked.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(done[0]?.by === 'ann' ? 2 : 3);
    for (const one of lost) expect(one).toMatchObject({ reason: { code: 'LETTER_HANDLED' } });
  });
});

test('an act of a kind that a later version writes is passed over, by the letter and by the audit', async () => {
  const world = await createWorld();
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  await world.startWorker();
  const dead = await died(world, ['reset-after', '403']);
  const foreign = JSON.stringify({ act: 'ask-the-oracle', id: 'x', at: Date.now(), by: 'zoe', reason: 'later' });
  await redis.hset(`${prefixOf(world.name)}:${deadQueueName(world.name)}:${dead.letter}`, 'wba', foreign);
  await redis.xadd(auditKey(world.name), '*', 'act', foreign);
  expect(await getLetter(world.reader, world.name, dead.letter)).toMatchObject({ state: 'open', acts: [] });
  expect(await probed(world, dead)).toMatchObject({ says: 'in-doubt' });
  expect(await getLetter(world.reader, world.name, dead.letter)).toMatchObject({
    state: 'replayed',
    acts: [{ act: 'probe' }],
  });
  expect(await Array.fromAsync(audit(world.reader, world.name))).toMatchObject([{ act: 'probe' }]);
});
