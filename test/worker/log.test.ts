import { describe, expect, test, vi } from 'vitest';
import { errorFields } from '../../core/error-fields.ts';
import { throttled } from '../../worker/log.ts';
import { createWorld, planned } from '../support/world.ts';

describe('one line per attempt', () => {
  test('with the request_id always, at the level of its disposition', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('503', 'reset-before', 'ok'));
    const dead = await world.queue.add('send', planned('400'));
    await world.until(job.data.idempotencyKey, 'delivered');
    await world.until(dead.data.idempotencyKey, 'dead');
    const lines = world.log.filter((line) => line.idempotency_key === job.data.idempotencyKey);
    const request_id = expect.stringMatching(/^req_/) as string;
    const same = {
      destination: world.name,
      job_id: job.id,
      worker: expect.any(String) as string,
      duration_ms: expect.any(Number) as number,
    };
    expect(lines).toMatchObject([
      {
        ...same,
        level: 40,
        request_id,
        attempt: 1,
        status: 503,
        disposition: 'retry',
        next_attempt_at: expect.stringMatching(/^\d{4}-/) as string,
      },
      {
        ...same,
        level: 40,
        request_id: null,
        attempt: 2,
        status: null,
        code: expect.any(String) as string,
        disposition: 'retry',
      },
      { ...same, level: 30, request_id, attempt: 3, status: 201, disposition: 'delivered' },
    ]);
    expect(world.log.find((line) => line.idempotency_key === dead.data.idempotencyKey)).toMatchObject({
      level: 50,
      request_id,
      status: 400,
      disposition: 'dead',
      reason: 'rejected',
      verdict: 'not-applied',
    });
  });

  test('and no field but the known ones: neither bodies, headers nor upstream messages', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', { ...planned('422'), headers: { 'x-trace': 'abc' } });
    await world.until(job.data.idempotencyKey, 'dead');
    const line = world.log.find((one) => one.idempotency_key === job.data.idempotencyKey) ?? {};
    const known = [
      'level',
      'time',
      'worker',
      'request_id',
      'idempotency_key',
      'destination',
      'job_id',
      'attempt',
      'status',
      'code',
      'duration_ms',
      'disposition',
      'because',
      'next_attempt_at',
      'reason',
      'verdict',
      'replayed',
      'lost',
      'msg',
    ];
    expect(Object.keys(line).filter((field) => !known.includes(field))).toEqual([]);
    expect(JSON.stringify(line)).not.toMatch(/phone_number|abc/);
  });
});

test('an error is logged by name, code and message, never with its command', () => {
  const error = Object.assign(new Error('NOPERM on redis://app:hunt@er/22@127.0.0.1'), {
    code: 'NOPERM',
    command: { args: ['hunter22'] },
  });
  expect(errorFields(error)).toEqual({ name: 'Error', code: 'NOPERM', message: 'NOPERM on redis://127.0.0.1' });
  expect(errorFields(null)).toEqual({ name: 'Error', message: '' });
});

test('a Redis in trouble is told of a few times a second, with how many were held back', () => {
  vi.useFakeTimers();
  const told: number[] = [];
  const tell = throttled((_error, heldBack) => told.push(heldBack), 5);
  for (let i = 0; i < 1000; i++) tell(new Error('x'));
  vi.advanceTimersByTime(1000);
  tell(new Error('x'));
  vi.useRealTimers();
  expect(told).toEqual([0, 0, 0, 0, 0, 995]);
});
