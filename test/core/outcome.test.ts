import { describe, expect, test } from 'vitest';
import { classOf, codeOf } from '../../core/outcome.ts';

describe('the class of a connection error', () => {
  test.each([
    ['ECONNREFUSED', 'not-sent'],
    ['ENOTFOUND', 'not-sent'],
    ['UND_ERR_CONNECT_TIMEOUT', 'not-sent'],
    ['UND_ERR_PRX_TLS', 'not-sent'],
    ['EMFILE', 'local'],
    ['UND_ERR_DESTROYED', 'shutdown'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['UND_ERR_INVALID_ARG', 'unsendable'],
    ['ECONNRESET', 'no-answer'],
    ['EPIPE', 'no-answer'],
    ['UND_ERR_SOCKET', 'no-answer'],
    ['HPE_INVALID_CONSTANT', 'no-answer'],
    ['NEVER_SEEN_BEFORE', 'no-answer'],
  ])('%s is %s', (code, kind) => expect(classOf(code)).toBe(kind));
});

describe('the code of an error', () => {
  const coded = (code: string): Error => Object.assign(new Error('x'), { code });

  test('is its own', () => expect(codeOf(coded('ECONNRESET'))).toBe('ECONNRESET'));
  test('is its cause’s', () => expect(codeOf(new Error('x', { cause: coded('ENOTFOUND') }))).toBe('ENOTFOUND'));
  test('an AggregateError is looked into; one address that may have got through decides', () => {
    expect(codeOf(new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')]))).toBe('ECONNREFUSED');
    expect(codeOf(new AggregateError([coded('ECONNREFUSED'), coded('ECONNRESET')]))).toBe('ECONNRESET');
  });
  test.each([undefined, null, 'text', 5, {}, Object.assign(new Error('x'), { code: 'not a code\n' })])(
    'of %j is a word',
    (error) => expect(codeOf(error)).toMatch(/^\w+$/),
  );
});
