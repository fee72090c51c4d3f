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
    Buffer.from(secret).toString('base64').replaceAll('=', ''),
  ]) {
    expect(clean(`before ${form} after`)).not.toContain(form);
    expect(clean(`before ${form} after`)).toContain('[redacted]');
  }
});

test('of two credentials one of which contains the other both are taken out whole, in whatever order they are given', () => {
  const both = ['secret-1', 'secret-1-and-more'];
  for (const secrets of [both, both.toReversed()])
    expect(redactor(secrets)('a secret-1-and-more, a secret-1')).toBe('a [redacted], a [redacted]');
});

test('a credential with a character of two units in it is taken out as it is, and escaped', () => {
  for (const form of ['key-🔑-key', String.raw`key-\ud83d\udd11-key`])
    expect(redactor(['key-🔑-key'])(`a ${form} b`)).toBe('a [redacted] b');
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

test('a credential is taken out in whatever way somebody escapes it, and however deep', () => {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  const writers: Record<string, (text: string) => string> = {
    json,
    php: (text) => json(text).replaceAll('/', String.raw`\/`),
    dotnet: (text) =>
      text.replaceAll(/\W/g, (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
    python: (text) => encodeURIComponent(text).replaceAll('%2F', '/'),
    rfc3986: (text) => encodeURIComponent(text).replaceAll(/[!'()*]/g, (unit) => `%${unit.charCodeAt(0).toString(16)}`),
    html: (text) =>
      text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('/', '&#x2F;'),
  };
  const secret = fc.string({ unit: fc.constantFrom(...Array.from('aB3/+="&!\n<é')), minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(
      secret,
      fc.constantFrom(...Object.keys(writers)),
      fc.integer({ min: 0, max: 3 }),
      (said, writer, depth) => {
        let text = writers[writer]?.(said) ?? '';
        for (let level = 0; level < depth; level += 1) text = json(text);
        expect(redactor([said])(`before: ${text};`)).toBe('before: [redacted];');
      },
    ),
  );
});

test('a credential that holds another is taken out whole', () =>
  expect(redactor(['secret1', 'secret1-longer'])('secret1-longer, secret1')).toBe('[redacted], [redacted]'));

test('base64 is found with and without its padding, and in both alphabets', () => {
  const clean = redactor(['???>>>?']);
  for (const [form, left] of [
    ['Pz8/Pj4+Pw==', '[redacted]=='],
    ['Pz8/Pj4+Pw', '[redacted]'],
    ['Pz8_Pj4-Pw', '[redacted]'],
  ] as const) {
    expect(clean(`<${form}>`)).toBe(`<${left}>`);
  }
});

test('a character of two units is found as it is and as JSON escapes it', () => {
  const clean = redactor(['key-\u{1f511}-1']);
  expect(clean('<key-\u{1f511}-1>')).toBe('<[redacted]>');
  expect(clean('<key-\\ud83d\\uDD11-1>')).toBe('<[redacted]>');
});

test('a secret of 6 characters is taken out, one of 5 is not', () =>
  expect(redactor(['abcdef', 'vwxyz'])('abcdef vwxyz')).toBe('[redacted] vwxyz'));

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
  expect(withoutUserinfo('cannot reach default:s3cret@host:6379 now')).toBe('cannot reach host:6379 now');
  expect(withoutUserinfo('cannot reach default:s3cret@host:6379')).toBe('cannot reach host:6379');
});

test('the beginning of a credential at the end of a text that broke off is taken out, also encoded or escaped', () => {
  const secret = 'p@ss "word"/1234';
  const escaped = Array.from(secret, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const clean = redactor([secret]);
  for (const form of [
    secret,
    secret.toUpperCase(),
    Buffer.from(secret).toString('base64url'),
    encodeURIComponent(secret),
  ])
    for (let cut = 6; cut < form.length; cut += 1) expect(clean(`key: ${form.slice(0, cut)}`)).toBe('key: [redacted]');
  expect(clean(`key: ${escaped.slice(0, 9).join('')}`)).toBe('key: [redacted]');
  expect(clean(`key: ${escaped.join('').slice(0, 50)}`)).toBe('key: [redacted]');
});

test('what only resembles the beginning of a credential, or is not at the end, stays', () => {
  const clean = redactor(['secret-1-and-more']);
  for (const text of ['secret-2', 'secre', 'secret-1 is wrong']) expect(clean(text)).toBe(text);
});

test('a credential may be as long as it likes', () => {
  const long = Array.from({ length: 65_536 }, (_, i) => String.fromCharCode(33 + ((i * 7919) % 94))).join('');
  const clean = redactor([long, `Bearer ${long}`]);
  for (const form of [long, JSON.stringify(long), encodeURIComponent(long), Buffer.from(long).toString('base64url')])
    expect(clean(`a ${form} b`)).toMatch(/^a "?\[redacted\]"? b$/);
  expect(clean(`a ${long.slice(0, 40_000)}`)).toBe('a [redacted]');
  expect(clean(`a ${long.slice(0, -1)} b`)).toBe(`a ${long.slice(0, -1)} b`);
});

test('of a credential that begins as another one does nothing is left, also where the text breaks off in it', () => {
  const both = ['abcdef', 'abcdef-123456789-tail'];
  for (const secrets of [both, both.toReversed()]) {
    const clean = redactor(secrets);
    for (let length = 6; length <= 21; length += 1)
      expect(clean(`x ${both[1]?.slice(0, length)}`)).toBe('x [redacted]');
    expect(clean('x abcdef-1 y')).toBe('x [redacted]-1 y');
  }
});

test('what looks like an escape is looked at in each of its meanings', () => {
  const clean = redactor([String.raw`u0041/u0075\\x`]);
  for (const form of [
    String.raw`u0041/u0075\\x`,
    String.raw`\u0041\/\u0075\\\\x`,
    String.raw`\u00750041/u\u0030075\\x`,
  ])
    expect(clean(`a ${form} b`)).toMatch(/^a (?:\\)?\[redacted\] b$/);
});

test('texts that nearly hold it keep nobody waiting', () => {
  const startedAt = performance.now();
  for (const unit of ['a', '\\', '\\u005c', '\\\\u0061'])
    for (const secret of [`${'a'.repeat(95)}b`, `${'\\'.repeat(95)}b`]) redactor([secret])(unit.repeat(20_000));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('of credentials that overlap nothing is left, and those that follow each other are two', () => {
  const clean = redactor(['abcdef', 'defghij', 'ijklmnop']);
  expect(clean('x abcdefghijklmnop y')).toBe('x [redacted] y');
  expect(clean('x abcdefabcdef y')).toBe('x [redacted][redacted] y');
  expect(clean('x abcdefghijklmn')).toBe('x [redacted]');
  expect(clean('x abcdefghijklm')).toBe('x [redacted]klm');
});

test('the name of an authentication scheme is no beginning of a credential: more of it must stand there', () => {
  const clean = redactor(['Bearer xyz1234567', 'Bearerxyz', 'X-Bearer abcdefg']);
  for (const text of ['MISSING_BEARER', 'must be Bearer', 'must be Bearer ', 'must be Bearer%20', 'Bearer…'])
    expect(redactor(['Bearer xyz1234567'])(text)).toBe(text);
  expect(redactor(['Bearer xyz1234567'])('no Bearer x')).toBe('no [redacted]');
  expect(redactor(['Bearer xyz1234567'])('no Bearer%20x')).toBe('no [redacted]');
  expect(clean('no Bearer')).toBe('no [redacted]');
  expect(redactor(['X-Bearer abcdefg'])('no X-Bearer')).toBe('no [redacted]');
});

test('a text breaks off before the mark of a cap too, however that is written', () => {
  const clean = redactor(['secret-1-and-more', 'a mark… in it']);
  for (const mark of ['…', String.raw`\u2026`]) {
    expect(clean(`no secret-1${mark} or so`)).toBe(`no [redacted]${mark} or so`);
    expect(clean(`no a mark${mark} in it`)).toBe('no [redacted]');
    expect(clean(`no a mark${mark} is in it`)).toBe(`no [redacted]${mark} is in it`);
    expect(clean(`no secre${mark} or so`)).toBe(`no secre${mark} or so`);
  }
  expect(clean(String.raw`no secret\u00… or so`)).toBe('no [redacted]… or so');
});

test('a value of several lines is found as JSON writes them', () => {
  const value = 'one\n\ttwo\r\fthree\b';
  expect(redactor([value])(JSON.stringify({ value }))).toBe('{"value":"[redacted]"}');
});

test('however many credentials there are, small texts keep nobody waiting and no pattern is too large', () => {
  const secrets = Array.from({ length: 30_000 }, (_, i) => `${(i * 65_537 + 2 ** 31).toString(36)}-key`);
  const clean = redactor(secrets);
  expect(clean(`a ${secrets[29_999]} b`)).toBe('a [redacted] b');
  expect(clean('{"id":"pay_0001"}')).toBe('{"id":"pay_0001"}');
});
