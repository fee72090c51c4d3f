// What stands for a write elsewhere: its job id, its payload hash, the name of its destination, and BullMQ's limits.
import { PRIORITY_LIMIT } from 'bullmq';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDestinationName, jobIdOf, MAX_DELAY_MS, MAX_PRIORITY, payloadHash } from '../../core/write.ts';

describe('the job id of a key', () => {
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
    'a:b',
    'a:b:c',
    '0:1',
    '..',
    ' x',
  ])('%j becomes none that BullMQ reserves', (key) => expect(jobIdOf(key)).toMatch(/^w[A-Za-z0-9_-]{22}$/));

  test('different keys have different job ids', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => a === b || jobIdOf(a) !== jobIdOf(b)));
  });
});

describe('the payload hash', () => {
  const write = { method: 'POST' as const, path: '/x', headers: { a: '1', b: '2' }, body: '{}', idempotencyKey: 'k' };

  test('does not depend on the order of headers, the key, or the options', () =>
    expect(
      payloadHash({ ...write, headers: { b: '2', a: '1' }, idempotencyKey: 'other', maxAttempts: 9, expiresAt: 5 }),
    ).toBe(payloadHash(write)));

  test.each([{ method: 'PUT' as const }, { path: '/y' }, { headers: { a: '1' } }, { body: '{ }' }])(
    'differs with %j',
    (change) => expect(payloadHash({ ...write, ...change })).not.toBe(payloadHash(write)),
  );

  test('is the same in every release: those that stand in Redis are compared with it', () => {
    const { headers: _headers, body: _body, ...bare } = write;
    expect([payloadHash(write), payloadHash(bare)]).toEqual(['pKfxEuZ2e-j6CWkYf0nspy', 'IqOtdscmqYfx-6kTOUvQBd']);
  });
});

describe('the name of a destination', () => {
  test.each(['a', '7', 'sms-gateway_2', 'x'.repeat(63)])('may be %j', (name) =>
    expect(checkDestinationName(name)).toBe(name),
  );

  test.each(['', '-a', '_a', 'A', 'a.b', 'a:b', '{a', 'a}', 'a/b', 'ü', 'x'.repeat(64), 'a\n'])(
    'cannot be %j: it is a queue, a hash tag and a file name at once',
    (name) =>
      expect(() => checkDestinationName(name)).toThrow(
        expect.objectContaining({
          code: 'INVALID_WRITE',
          field: 'destination',
          message: `destination: must be 1 to 63 characters, a-z, 0-9, - and _, starting with a letter or digit; got ${JSON.stringify(name)}`,
        }),
      ),
  );

  test('is a text, and no more than the beginning of a long one is repeated', () => {
    for (const none of [undefined, null, 7, ['a']])
      expect(() => checkDestinationName(none)).toThrow(/^destination: must be .* with a letter or digit$/);
    expect(() => checkDestinationName('x'.repeat(200))).toThrow(/got "x{80}"$/);
  });
});

describe('a write can wait', () => {
  test('for a year', () => expect(MAX_DELAY_MS).toBe(Date.UTC(2027, 0, 1) - Date.UTC(2026, 0, 1)));
  test('behind as many priorities as BullMQ has', () => expect(MAX_PRIORITY).toBe(PRIORITY_LIMIT));
});
