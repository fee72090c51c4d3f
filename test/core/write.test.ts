import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WaybillError } from '../../core/errors.ts';
import { jobIdOf, payloadHash, toWrite as check, type Write, type WriteInput } from '../../core/write.ts';

const toWrite = (input: unknown): Write => check(input, () => 'made-key');

const good: WriteInput = { method: 'POST', path: '/v1/profiles', body: { a: 1 } };
const refusal = (input: unknown): { code?: string; field?: string | undefined; message: string } => {
  try {
    toWrite(input);
  } catch (error) {
    if (error instanceof WaybillError) return error;
    throw error;
  }
  return { message: 'was accepted' };
};

describe('a write names what is wrong with it', () => {
  test.each<[string, unknown]>([
    ['payload', undefined],
    ['payload', 'x'],
    ['payload', []],
    ['method', { ...good, method: 'GET' }],
    ['method', { ...good, method: 'post' }],
    ['method', { path: '/x' }],
    ['path', { ...good, path: '' }],
    ['path', { ...good, path: 'v1' }],
    ['path', { ...good, path: '//evil.example/x' }],
    ['path', { ...good, path: 'https://evil.example/x' }],
    ['path', { ...good, path: '/a b' }],
    ['path', { ...good, path: '/a\r\nX: y' }],
    ['path', { ...good, path: '/a#b' }],
    ['path', { ...good, path: '/a\\b' }],
    ['path', { ...good, path: '/a/../b' }],
    ['path', { ...good, path: '/a/%2e%2E/b' }],
    ['path', { ...good, path: '/..' }],
    ['path', { ...good, path: '/ü' }],
    ['path', { ...good, path: `/${'x'.repeat(9000)}` }],
    ['headers', { ...good, headers: 'x' }],
    ['headers', { ...good, headers: { 'bad name': 'x' } }],
    ['headers', { ...good, headers: { '': 'x' } }],
    ['headers.x-a', { ...good, headers: { 'x-a': 'a\r\nb' } }],
    ['headers.x-a', { ...good, headers: { 'x-a': 'ü' } }],
    ['headers.x-a', { ...good, headers: { 'x-a': 5 } }],
    ['headers.Host', { ...good, headers: { Host: 'evil.example' } }],
    ['headers.Content-Length', { ...good, headers: { 'Content-Length': '5' } }],
    ['headers.Transfer-Encoding', { ...good, headers: { 'Transfer-Encoding': 'chunked' } }],
    ['headers.Authorization', { ...good, headers: { Authorization: 'Bearer x' } }],
    ['headers.X-Api-Key', { ...good, headers: { 'X-Api-Key': 'x' } }],
    ['headers.Idempotency-Key', { ...good, headers: { 'Idempotency-Key': 'x' } }],
    ['headers.X-A', { ...good, headers: { 'x-a': '1', 'X-A': '2' } }],
    ['body', { ...good, body: () => 1 }],
    ['body', { ...good, body: 1n }],
    ['body', { ...good, body: '{"cut":' }],
    ['body', { ...good, body: '' }],
    ['body', { ...good, body: `"${'x'.repeat(6_000_000)}"` }],
    ['idempotencyKey', { ...good, idempotencyKey: '' }],
    ['idempotencyKey', { ...good, idempotencyKey: 'x'.repeat(256) }],
    ['idempotencyKey', { ...good, idempotencyKey: 'ключ' }],
    ['idempotencyKey', { ...good, idempotencyKey: 'a\nb' }],
    ['idempotencyKey', { ...good, idempotencyKey: ' a' }],
    ['idempotencyKey', { ...good, idempotencyKey: 7 }],
    ['url', { ...good, url: 'https://x' }],
    ['maxAttempts', { ...good, maxAttempts: 3 }],
  ])('%s', (field, input) => expect(refusal(input)).toMatchObject({ code: 'INVALID_WRITE', field }));

  test('a URL in place of a path is not repeated: it may hold a password', () =>
    expect(refusal({ ...good, path: 'https://user:hunter22@api.example.com/x' }).message).not.toContain('hunter22'));
});

describe('what is accepted', () => {
  test('a write without a key gets one', () => expect(toWrite(good).idempotencyKey).toBe('made-key'));

  test('a body given as text is kept byte for byte; a value is written as JSON once', () => {
    expect(toWrite({ ...good, body: '{ "id": 12345678901234567890 }' }).body).toBe('{ "id": 12345678901234567890 }');
    expect(toWrite({ ...good, body: { a: [1, null, 'ü'] } }).body).toBe('{"a":[1,null,"ü"]}');
    expect(toWrite({ ...good, body: null }).body).toBe('null');
  });

  test('every other URL character may stand in a path and its query', () =>
    expect(toWrite({ ...good, path: "/v1/%C3%BC/a.b/~c;d=1,2/@me:x?q=a&r=%20+/..!$'()*" }).path).toContain('/~c;d'));

  test('any key of 1 to 255 printable ASCII characters is one', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
      minLength: 1,
      maxLength: 255,
    });
    fc.assert(
      fc.property(
        printable.filter((key) => key.trim() === key),
        (key) => toWrite({ ...good, idempotencyKey: key }).idempotencyKey === key,
      ),
    );
  });
});

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
});
