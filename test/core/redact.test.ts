import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactor, withoutUserinfo } from '../../core/redact.ts';

test('a credential is taken out of a text wherever it stands, also encoded', () => {
  const secret = 'p@ss "word"/1234';
  const clean = redactor([secret]);
  for (const form of [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret),
    Buffer.from(secret).toString('base64'),
  ]) {
    expect(clean(`before ${form} after`)).not.toContain(form);
    expect(clean(`before ${form} after`)).toContain('[redacted]');
  }
});

test('any text keeps no secret of 6 characters or more', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6 }), fc.string(), fc.string(), (secret, before, after) => {
      // The mask itself may hold what looks like a short secret.
      fc.pre(!'[redacted]'.includes(secret));
      const masked = redactor([secret])(before + secret + after);
      return masked.replaceAll('[redacted]', '').length <= (before + after).length;
    }),
  );
});

test('without secrets a text stays as it is', () => expect(redactor(['', 'abc'])('abc def')).toBe('abc def'));

test('a URL is shown without user and password', () => {
  expect(withoutUserinfo('redis://user:p@ss@host:6379/1')).toBe('redis://host:6379/1');
  expect(withoutUserinfo('redis://host')).toBe('redis://host');
});

test('however a JSON writer escaped a credential, it is taken out of the raw text', () => {
  const clean = redactor(['sk/live+a"b']);
  for (const form of ['sk\\/live+a\\"b', 'sk\\u002flive\\u002Ba\\u0022b', 'sk/live\\u002ba\\"b']) {
    expect(clean(`{"message":"${form} is wrong"}`)).toBe('{"message":"[redacted] is wrong"}');
  }
});

test('a message is shown without the password of a URL in it, whatever the password holds', () => {
  expect(withoutUserinfo('cannot reach http://u:p/a@h:1 now')).toBe('cannot reach http://h:1 now');
  expect(withoutUserinfo('default:s3cret@host:6379')).toBe('host:6379');
});
