import { describe, expect, test } from 'vitest';
import { classOf, codeOf, DEADLINE, DEADLINE_QUEUED, type ErrorClass, INTERNAL, SHUTDOWN } from '../../core/outcome.ts';

/** What is known of each code that Node and undici give; TLS codes come in families, and so do those of proxies. */
const CODES: Record<ErrorClass, string[]> = {
  'not-sent': [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENETDOWN',
    'EHOSTDOWN',
    'EADDRNOTAVAIL',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_PRX_TLS',
    'UND_ERR_SOCKS5_AUTH_FAILED',
    'WAYBILL_DEADLINE_QUEUED',
  ],
  local: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  shutdown: ['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', 'WAYBILL_SHUTDOWN'],
  tls: [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'EPROTO',
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ],
  unsendable: [
    'UND_ERR_INVALID_ARG',
    'UND_ERR_NOT_SUPPORTED',
    'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
    'ERR_INVALID_URL',
    'ERR_INVALID_CHAR',
  ],
  'no-answer': [
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
    'HPE_INVALID_CONSTANT',
    'WAYBILL_DEADLINE',
    'WAYBILL_INTERNAL',
    // Only the beginning of a code is its family's name.
    'X_UND_ERR_PRX_TLS',
    'X_CERT_HAS_EXPIRED',
    'NEVER_SEEN_BEFORE',
    '',
  ],
};

describe('the class of a connection error', () => {
  const rows = Object.entries(CODES).flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const));
  test.each(rows)('%s is %s', (code, kind) => expect(classOf(code)).toBe(kind));
});

test('our own codes are words that stand in journals and logs, and do not change', () =>
  expect([DEADLINE_QUEUED, DEADLINE, SHUTDOWN, INTERNAL]).toEqual([
    'WAYBILL_DEADLINE_QUEUED',
    'WAYBILL_DEADLINE',
    'WAYBILL_SHUTDOWN',
    'WAYBILL_INTERNAL',
  ]));

describe('the code of an error', () => {
  const coded = (code: unknown, more: object = {}): Error => Object.assign(new Error('x'), { code, ...more });

  test('is its own, before that of its cause', () =>
    expect(codeOf(coded('ECONNRESET', { cause: coded('ENOTFOUND') }))).toBe('ECONNRESET'));
  test('is its cause’s', () => expect(codeOf(new Error('x', { cause: coded('ENOTFOUND') }))).toBe('ENOTFOUND'));
  test('is its name, where nothing has a code', () => {
    expect(codeOf(Object.assign(new Error('x'), { name: 'HTTPParserError' }))).toBe('HTTPParserError');
    expect(codeOf({ name: 'TimeoutError', errors: [] })).toBe('TimeoutError');
  });

  test('an AggregateError is looked into; one address that may have got through decides', () => {
    expect(codeOf(new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')]))).toBe('ECONNREFUSED');
    expect(codeOf(new AggregateError([coded('ECONNREFUSED'), coded('ECONNRESET')]))).toBe('ECONNRESET');
    expect(codeOf(new AggregateError([coded('ECONNRESET'), coded('ECONNREFUSED')]))).toBe('ECONNRESET');
    const own = Object.assign(new AggregateError([coded('ECONNRESET')]), { code: 'ECONNREFUSED' });
    expect(codeOf(own)).toBe('ECONNRESET');
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'text'],
    ['a number', 5],
    ['no error', {}],
    ['a number for a name', { name: 5 }],
    ['an empty name', { name: '' }],
    ['a sentence for a name', { name: 'not a name' }],
    ['a name with more behind it', { name: 'Name\n' }],
    ['a name of 65 characters', { name: 'n'.repeat(65) }],
    ['an empty list of errors', { errors: [] }],
    ['a null for a cause', { cause: null }],
    ['something that is no list', { errors: { length: 1 } }],
  ])('of %s is UNKNOWN', (_what, error) => expect(codeOf(error)).toBe('UNKNOWN'));

  test.each([['a line break in it'], ['X Y'], ['-X'], ['X-'], ['X'.repeat(65)], [''], [17]])(
    'that is no word (%j) gives way to the name',
    (code) => expect(codeOf(coded(code))).toBe('Error'),
  );
  test('may have 64 characters, and so may a name', () => {
    expect(codeOf(coded('X'.repeat(64)))).toBe('X'.repeat(64));
    expect(codeOf({ name: 'n'.repeat(64) })).toBe('n'.repeat(64));
  });

  const behind = (depth: number): unknown =>
    Array.from({ length: depth }).reduce((cause) => new Error('x', { cause }), coded('ENOTFOUND'));
  test('is looked for behind four causes, and no deeper: a chain may be a ring', () => {
    expect(codeOf(behind(4))).toBe('ENOTFOUND');
    expect(codeOf(behind(5))).toBe('UNKNOWN');
    const ring = new Error('x');
    ring.cause = ring;
    expect(codeOf(ring)).toBe('UNKNOWN');
    const nested = new AggregateError([]);
    nested.errors.push(nested);
    expect(codeOf(nested)).toBe('UNKNOWN');
  });
});
