// What a write may be, and what somebody is told whose write is none.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WaybillError } from '../../core/errors.ts';
import { MAX_BODY_BYTES, MAX_HEADER_BYTES, toWrite as check, type Write, type WriteInput } from '../../core/write.ts';

const toWrite = (input: unknown, stored?: boolean): Write => check(input, () => 'made-key', stored);

const good: WriteInput = { method: 'POST', path: '/v1/profiles', body: { a: 1 } };
const refusal = (input: unknown, stored?: boolean): { code?: string; field?: string | undefined; message: string } => {
  try {
    toWrite(input, stored);
  } catch (error) {
    if (error instanceof WaybillError) return error;
    throw error;
  }
  return { message: 'was accepted' };
};
const withHeaders = (headers: unknown): unknown => ({ ...good, headers });
const long = 'x'.repeat(300);

describe('a write names what is wrong with it, and says what is allowed and what it got', () => {
  test.each<[string, unknown, ...string[]]>([
    ['payload', undefined, 'must be an object { method, path', 'got undefined'],
    ['payload', 'x', 'got string'],
    ['payload', null, 'got null'],
    ['payload', [], 'got an array'],
    ['method', { ...good, method: 'GET' }, 'must be one of POST, PUT, PATCH, DELETE, got "GET"'],
    ['method', { ...good, method: 'post' }, 'got "post"'],
    ['method', { ...good, method: '' }, 'got an empty string'],
    ['method', { path: '/x' }, 'must be one of POST, PUT, PATCH, DELETE'],
    ['path', { ...good, path: '' }, 'must start with one "/"', 'got an empty string'],
    ['path', { ...good, path: undefined }, 'must be a string, got undefined'],
    ['path', { ...good, path: ['/v1'] }, 'must be a string, got an array'],
    ['path', { ...good, path: 'v1' }, 'must start with one "/"', 'a URL, "//", "\\" and "#" are refused; got "v1"'],
    ['path', { ...good, path: '//evil.example/x' }, 'must start with one "/"'],
    ['path', { ...good, path: 'https://evil.example/x' }, 'a URL, "//", "\\" and "#" are refused'],
    ['path', { ...good, path: '/a b' }, 'the rest percent-encoded'],
    ['path', { ...good, path: '/a\r\nX: y' }, String.raw`got "/a\r\nX: y"`],
    ['path', { ...good, path: '/a#b' }, 'got "/a#b"'],
    ['path', { ...good, path: '/a\\b' }, String.raw`got "/a\\b"`],
    ['path', { ...good, path: '/a/../b' }, 'must not contain the segments "." or ".."'],
    ['path', { ...good, path: '/a/%2e%2E/b' }, 'segments'],
    ['path', { ...good, path: '/..' }, 'segments'],
    ['path', { ...good, path: '/./a' }, 'segments'],
    ['path', { ...good, path: '/a/.?b=1' }, 'segments'],
    ['path', { ...good, path: '/ü' }, 'percent-encoded'],
    ['path', { ...good, path: `/${'x'.repeat(8192)}` }, 'must have at most 8192 characters, has 8193'],
    ['headers', withHeaders('x'), 'must be an object of strings, got string'],
    ['headers', withHeaders({ 'bad name': 'x' }), '"bad name" is not a header name'],
    ['headers', withHeaders({ '': 'x' }), 'an empty string is not a header name'],
    ['headers.x-a', withHeaders({ 'x-a': 'a\r\nb' }), 'must hold printable ASCII characters only'],
    ['headers.x-a', withHeaders({ 'x-a': 'ü' }), 'must hold printable ASCII characters only'],
    ['headers.x-a', withHeaders({ 'x-a': 5 }), 'must be a string, got number'],
    ['headers.Idempotency-Key', withHeaders({ 'Idempotency-Key': 'x' }), 'is set from idempotencyKey'],
    ['headers.X-A', withHeaders({ 'x-a': '1', 'X-A': '2' }), 'is given twice'],
    [`headers.${long.slice(0, 80)}`, withHeaders({ [long]: 5 }), 'must be a string'],
    ['body', { ...good, body: () => 1 }, 'cannot be written as JSON, got function'],
    ['body', { ...good, body: 1n }, 'cannot be written as JSON (a cycle, a BigInt, or a toJSON that throws)'],
    ['body', { ...good, body: '{"cut":' }, 'a string must be JSON text; pass JSON.stringify(value)'],
    ['body', { ...good, body: '' }, 'a string must be JSON text'],
    ['body', { ...good, body: '"\ud800"' }, 'half of a surrogate pair'],
    [
      'idempotencyKey',
      { ...good, idempotencyKey: '' },
      'must be 1 to 255 printable ASCII characters',
      'an empty string',
    ],
    ['idempotencyKey', { ...good, idempotencyKey: 'x'.repeat(256) }, '(256 characters)'],
    ['idempotencyKey', { ...good, idempotencyKey: 'ключ' }, 'got "ключ"'],
    ['idempotencyKey', { ...good, idempotencyKey: 'a\nb' }, String.raw`got "a\nb"`],
    ['idempotencyKey', { ...good, idempotencyKey: ' a' }, 'must not start or end with a space'],
    ['idempotencyKey', { ...good, idempotencyKey: 7 }, 'must be a string, got number'],
    ['url', { ...good, url: 'https://x' }, 'allowed are method, path, headers, body, idempotencyKey'],
    [long.slice(0, 80), { ...good, [long]: 1 }, 'is not a field of a write'],
    ['maxAttempts', { ...good, maxAttempts: 3 }, 'is not a field of a write'],
    ['expiresAt', { ...good, expiresAt: 1_900_000_000_000 }, 'is not a field of a write'],
  ])('%s', (field, input, ...says) => {
    const { message, ...error } = refusal(input);
    expect(error).toMatchObject({ code: 'INVALID_WRITE', field });
    for (const said of [`${field}: `, ...says]) expect(message).toContain(said);
  });

  test('a URL in place of a path is not repeated: it may hold a password', () =>
    expect(refusal({ ...good, path: 'https://user:hunter22@api.example.com/x' }).message).toMatch(/are refused$/));

  test('a method that is no text is not repeated either', () =>
    expect(refusal({ ...good, method: { secret: 1 } }).message).toMatch(/DELETE$/));

  test('of a long text the beginning is repeated, and its length', () => {
    const told = (length: number): string => refusal({ ...good, idempotencyKey: 'ü'.repeat(length) }).message;
    expect(told(60)).toMatch(/got "ü{60}"$/);
    expect(told(61)).toMatch(/got "ü{60}" \(61 characters\)$/);
  });

  test('why a body could not be written as JSON is kept as the cause', () =>
    expect(refusal({ ...good, body: 1n })).toMatchObject({ cause: expect.any(TypeError) as unknown }));

  test.each([
    'Connection',
    'Content-Length',
    'Expect',
    'Host',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('the header %s belongs to the connection, and the worker sets it', (name) =>
    expect(refusal(withHeaders({ [name]: 'x' }))).toMatchObject({
      field: `headers.${name}`,
      message: expect.stringContaining('belongs to the connection and is set by the worker') as string,
    }),
  );

  test.each(['Authorization', 'Cookie', 'Proxy-Authorization', 'X-Api-Key', 'X-Auth-Token', 'Api-Key'])(
    'the header %s is a credential, which must not enter the queue',
    (name) =>
      expect(refusal(withHeaders({ [name]: 'hunter22' }))).toMatchObject({
        field: `headers.${name}`,
        message: expect.stringMatching(
          /^(?!.*hunter22).*a credential.* the destination's auth in the worker/,
        ) as string,
      }),
  );
});

describe('what is accepted', () => {
  test('a write without a key gets one', () => expect(toWrite(good).idempotencyKey).toBe('made-key'));

  test('nothing is stored of what is not there', () => {
    expect(toWrite({ method: 'DELETE', path: '/x', idempotencyKey: 'k' })).toStrictEqual({
      method: 'DELETE',
      path: '/x',
      idempotencyKey: 'k',
    });
    for (const headers of [{}, null, undefined])
      expect(toWrite({ ...good, headers })).toStrictEqual(toWrite({ ...good, body: '{"a":1}' }));
  });

  test('headers are stored by their names in small letters, and a value may be empty or hold tabs and spaces', () =>
    expect(toWrite(withHeaders({ 'X-Trace': 'a b\tc', 'x-empty': '' })).headers).toStrictEqual({
      'x-trace': 'a b\tc',
      'x-empty': '',
    }));

  test('a body given as text is kept byte for byte; a value is written as JSON once', () => {
    expect(toWrite({ ...good, body: '{ "id": 12345678901234567890 }' }).body).toBe('{ "id": 12345678901234567890 }');
    expect(toWrite({ ...good, body: { a: [1, null, 'ü'] } }).body).toBe('{"a":[1,null,"ü"]}');
    expect(toWrite({ ...good, body: null }).body).toBe('null');
  });

  test('every other URL character may stand in a path and its query', () =>
    expect(toWrite({ ...good, path: "/v1/%C3%BC/a.b/~c;d=1,2/@me:x?q=a&r=%20+/../.!$'()*" }).path).toContain('/~c;d'));

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

describe('what is as large as it may be is accepted, and a character more is refused', () => {
  const headersOf = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

  test.each<[string, unknown, unknown, string]>([
    ['a path of 8192 characters', { path: `/${'x'.repeat(8191)}` }, { path: `/${'x'.repeat(8192)}` }, 'has 8193'],
    ['64 headers', { headers: headersOf(64) }, { headers: headersOf(65) }, 'headers: must be at most 64, got 65'],
    [
      '8192 bytes of headers, names and values',
      { headers: { abc: 'x'.repeat(4000), b: 'x'.repeat(MAX_HEADER_BYTES - 4004) } },
      { headers: { abc: 'x'.repeat(4000), b: 'x'.repeat(MAX_HEADER_BYTES - 4003) } },
      'headers: must be at most 8192 bytes together, got 8193',
    ],
    [
      '5 MiB of body, in UTF-8',
      { body: `"${'ü'.repeat(MAX_BODY_BYTES / 2 - 1)}"` },
      { body: `"${'ü'.repeat(MAX_BODY_BYTES / 2 - 1)}x"` },
      'body: must be at most 5242880 bytes, has 5242881',
    ],
  ])('%s', (_, largest, more, says) => {
    expect(() => toWrite({ ...good, ...(largest as object) })).not.toThrow();
    expect(refusal({ ...good, ...(more as object) }).message).toContain(says);
  });
});

describe('a stored write has the number of attempts and the expiry that its producer gave', () => {
  const at = 1_900_000_000_000;

  test('and they stay as they are', () => {
    expect(toWrite({ ...good, maxAttempts: 1, expiresAt: at }, true)).toMatchObject({ maxAttempts: 1, expiresAt: at });
    expect(toWrite({ ...good, maxAttempts: 100, expiresAt: new Date(at) }, true)).toMatchObject({
      maxAttempts: 100,
      expiresAt: at,
    });
    expect(toWrite({ ...good, maxAttempts: undefined, expiresAt: undefined }, true)).toStrictEqual(toWrite(good));
  });

  test.each([0, -1, 101, 1.5, '3', null])('%j is no number of attempts', (maxAttempts) =>
    expect(refusal({ ...good, maxAttempts }, true)).toMatchObject({
      code: 'INVALID_WRITE',
      field: 'maxAttempts',
      message: 'maxAttempts: must be a whole number from 1 to 100',
    }),
  );

  test.each([0, -at, at + 0.5, 2 ** 60, String(at), null, new Date(Number.NaN)])('%j is no time', (expiresAt) =>
    expect(refusal({ ...good, expiresAt }, true)).toMatchObject({
      field: 'expiresAt',
      message: 'expiresAt: must be a Date or a whole number of milliseconds since 1970',
    }),
  );

  test('seconds are not taken for milliseconds', () => {
    expect(refusal({ ...good, expiresAt: at / 1000 }, true).message).toMatch(/^expiresAt: .*looks like seconds$/);
    expect(refusal({ ...good, expiresAt: 1 }, true).message).toMatch(/looks like seconds$/);
    expect(toWrite({ ...good, expiresAt: Date.UTC(2001, 8, 9, 1, 46, 40) }, true)).toHaveProperty('expiresAt', 1e12);
  });

  test('a field that none has is refused, and all that may be there are named', () =>
    expect(refusal({ ...good, delay: 5 }, true).message).toMatch(/idempotencyKey, maxAttempts, expiresAt$/));
});
