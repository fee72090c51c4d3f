import { describe, expect, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { createWorld, planned } from '../support/world.ts';

describe('each row of the status table, end to end', () => {
  test.each([
    ['400', 400, 'not-applied'],
    ['401', 401, 'not-applied'],
    ['403', 403, 'not-applied'],
    ['404', 404, 'not-applied'],
    ['409', 409, 'not-applied'],
    ['422', 422, 'not-applied'],
    ['402', 402, 'not-applied'],
    ['410', 410, 'not-applied'],
    ['302', 302, 'in-doubt'],
    ['500-stored', 500, 'in-doubt'],
  ])(
    '%s is dead with its envelope and request_id, at the first answer that will not change',
    async (step, status, verdict) => {
      const world = await createWorld();
      await world.startWorker();
      const job = await world.queue.add('send', planned(step));
      const { letter, verdict: shown } = await world.until(job.data.idempotencyKey, 'dead');
      expect(letter).toMatchObject({
        reason: 'rejected',
        verdict,
        status,
        envelope: { code: expect.any(String) as string },
      });
      expect(letter?.requestId).toMatch(/\S/);
      expect(shown).toBe(verdict);
      expect(world.sandbox.entry(job.data.idempotencyKey)?.applications).toBe(0);
      expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(step === '500-stored' ? 2 : 1);
    },
  );

  test.each([
    ['429'],
    ['500'],
    ['502'],
    ['503'],
    ['504'],
    ['599'],
    ['reset-before'],
    ['reset-after'],
    ['hang'],
    ['hang-applied'],
    ['truncated-500'],
    ['html-502'],
    ['empty-500'],
    ['500-applied'],
    ['503-applied'],
    ['in-progress'],
    ['drip-500:400'],
    ['big-500:300'],
  ])('%s is tried again with the same key and payload, and applied once', async (step) => {
    const world = await createWorld({ destination: { timeoutMs: 700 } });
    await world.startWorker();
    const job = await world.queue.add('send', planned(step, step));
    const found = await world.until(job.data.idempotencyKey, 'delivered');
    expect(found.verdict).toBe('applied-once');
    await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.payloadHashes).toHaveLength(1);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.sends.length).toBeGreaterThanOrEqual(2);
  });

  test.each([['truncated'], ['early-hints'], ['slow:300']])(
    '%s is delivered: the status line decides',
    async (step) => {
      const world = await createWorld({ destination: { timeoutMs: 1000 } });
      await world.startWorker();
      const job = await world.queue.add('send', planned(step));
      const found = await world.until(job.data.idempotencyKey, 'delivered');
      expect(found.delivery).toMatchObject({ status: 201, attempts: 1 });
      await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
    },
  );

  test('a 503 is exhausted after its five attempts, and was not applied', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('503', '503', '503', '503', '503', 'ok'));
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter).toMatchObject({ reason: 'exhausted', verdict: 'not-applied', status: 503 });
    expect(letter?.journal.attempts.map(({ attempt, disposition }) => [attempt, disposition])).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'retry'],
      [4, 'retry'],
      [5, 'dead'],
    ]);
    expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(5);
  });

  test('no connection at all is exhausted too, and was not applied', async () => {
    const world = await createWorld({ baseUrl: 'http://127.0.0.1:9' });
    await world.startWorker();
    const job = await world.queue.add('send', planned());
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter).toMatchObject({ reason: 'exhausted', verdict: 'not-applied' });
    expect(letter?.journal.attempts[0]).toMatchObject({ outcome: 'not-sent', code: 'ECONNREFUSED' });
  });

  test('a doubt that no later answer settles stays a doubt', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('reset-before', '403'));
    expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
      verdict: 'in-doubt',
      status: 403,
    });
  });

  test('a doubt is settled by the stored rejection of the key', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('reset-before', '422'));
    expect((await world.until(job.data.idempotencyKey, 'dead')).letter).toMatchObject({
      verdict: 'not-applied',
      status: 422,
    });
  });

  test('a 409 in progress spends no attempt', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned(...Array.from({ length: 7 }, () => 'in-progress')), {
      maxAttempts: 1,
    });
    const found = await world.until(job.data.idempotencyKey, 'delivered');
    expect(found.journal).toMatchObject({ postponed: 7, attempts: [] });
    expect(found.delivery).toMatchObject({ attempts: 1 });
  });
});

describe('the envelope, whatever an API answers', () => {
  test.each([
    ['not-json-400', { code: 'HTTP_400' }],
    ['problem-422', { code: expect.any(String) as string, message: expect.any(String) as string }],
    ['requestId-400', { code: expect.any(String) as string }],
  ])('%s is read for what is there', async (step, envelope) => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned(step));
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter?.envelope).toMatchObject(envelope);
    expect(letter?.requestId).toMatch(/\S/);
  });

  test('VALIDATION_ERROR names the offending field', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', {
      method: 'POST',
      path: '/v1/subscriptions/opt-in',
      body: { phone_number: '12' },
    });
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter?.envelope).toMatchObject({ code: 'VALIDATION_ERROR', details: '{"field":"phone_number"}' });
  });

  test('64 KB of an error are kept of its last answer', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('big-500:300'), { maxAttempts: 1 });
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    expect(letter?.journal.attempts[0]?.body?.length).toBe(64 * 1024);
  });
});
