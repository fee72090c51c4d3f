import { describe, expect, test } from 'vitest';
import { answerCleaner, echoCleaner, HIDDEN_TEXT } from '../../core/echo.ts';
import { readEnvelope } from '../../core/envelope.ts';
import type { Write } from '../../core/write.ts';

const IBAN = 'DE89370400440532013000';
const MASKING = { body: ['/payer'], headers: ['X-Signature'] };
const write = (payer: unknown): Write => ({
  method: 'POST',
  path: '/v1/payouts',
  idempotencyKey: 'k',
  headers: { 'x-signature': 'sig/7b1f6c+2e9d4a', 'x-trace': 'trace-0001' },
  body: JSON.stringify({ payer, note: 'rent of May' }),
});
/** No character twice. */
const textOf = (length: number): string => Array.from({ length }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
const many = Array.from({ length: 600 }, (_, i) => `number/${i}`);

describe('an answer', () => {
  const clean = answerCleaner(write({ iban: IBAN, account: 4512345678 }), MASKING, ['IN_PROGRESS']);

  test('is stored without the masked values that it repeats, in its code, field, message, details and request_id', () => {
    const { envelope, requestId } = readEnvelope(
      422,
      JSON.stringify({
        code: `BAD_${IBAN}`,
        message: `${IBAN.toLowerCase()} of rent of May; ${Buffer.from(IBAN).toString('base64')}`,
        details: { field: `payer.${IBAN}`, [IBAN]: 4512345678, kept: 12_345, exact: 'trace-0001' },
      }),
      'req-sig/7b1f6c+2e9d4a',
      clean,
    );
    expect({ ...envelope, details: JSON.parse(envelope.details ?? '') as unknown, requestId }).toEqual({
      code: 'BAD_[redacted]',
      message: '[redacted] of rent of May; [redacted]==',
      details: { field: 'payer.[redacted]', '[redacted]': '[redacted]', kept: 12_345, exact: 'trace-0001' },
      requestId: 'req-[redacted]',
    });
  });

  test('is stored without a value of several lines, as JSON writes it, and JSON within JSON', () => {
    const address = 'Flat 4\n12 "Secret" Road\tYork';
    const { envelope } = readEnvelope(
      400,
      JSON.stringify({
        code: 'BAD',
        message: JSON.stringify({ said: JSON.stringify({ address }) }),
        details: { address },
      }),
      undefined,
      answerCleaner(write(address), MASKING, []),
    );
    expect(JSON.stringify(envelope)).not.toMatch(/Flat 4|Secret/);
    expect(envelope?.message).toContain('[redacted]');
    const cut = answerCleaner(write(address), MASKING, [])(`got ${JSON.stringify(address).slice(0, 20)}`);
    expect(cut).toBe('got "[redacted]');
  });

  test('is hidden where a value stands there in a writing that cannot be taken out', () => {
    const text = `it says rent ${'\\'.repeat(40)}"of May"`;
    const masked = answerCleaner(write('rent "of May"'), MASKING, []);
    expect([masked(text), masked(`${text} ${'.'.repeat(200)}`)]).toEqual(['[redacted]', HIDDEN_TEXT]);
  });

  test('keeps a code that the rules know by name, whatever the write says', () => {
    const named = answerCleaner(write('IN_PROGRESS'), MASKING, ['IN_PROGRESS']);
    expect([named('IN_PROGRESS'), named('not IN_PROGRESS')]).toEqual(['IN_PROGRESS', 'not [redacted]']);
  });

  test('is left as it is where nothing is masked: the write is not even looked into', () => {
    const unread = Object.defineProperty(write(IBAN), 'body', {
      get: () => {
        throw new Error('was looked into');
      },
    });
    expect(answerCleaner(unread, { body: [], headers: [] }, [])(IBAN)).toBe(IBAN);
  });

  test('is cleaned where a header alone is masked, and where it is not known what is', () => {
    for (const masking of [{ body: [], headers: ['x-trace'] }, 'all'] as const)
      expect(answerCleaner(write(IBAN), masking, [])('no trace-0001')).toBe('no [redacted]');
  });
});

describe('more values than can be looked for in a long text', () => {
  test('are more than 50, or 1024 characters', () => {
    const six = (count: number): string[] => Array.from({ length: count }, (_, i) => `v-${1000 + i}`);
    const long = (length: number): string[] => [textOf(length)];
    for (const few of [six(50), long(1024)])
      expect(echoCleaner(() => few).text(`a ${few[0]} b`)).toMatch(/^a (?:\[redacted\])+ b$/);
    for (const more of [six(51), long(1025)]) expect(echoCleaner(() => more).text('anything')).toBe(HIDDEN_TEXT);
    expect(HIDDEN_TEXT).toContain('hidden');
  });

  test('hide an answer that is no word: the longest word has as many characters as a request_id may have', () => {
    const clean = answerCleaner(write(many), MASKING, []);
    const long = 'no_echo_'.repeat(25);
    expect([clean(long), clean(`${long}!`)]).toEqual([long, HIDDEN_TEXT]);
  });

  test('hide a word that is a part of one of them, when it has the length of a value that is looked for', () => {
    expect(word('number')).toBe('[redacted]');
    expect(word('numbe')).toBe('numbe');
    expect(word(String.raw`\u006eumber\/9`)).toBe('[redacted]');
  });

  test('are looked for as they are alone where there are more than a thousand', () => {
    const encoded = (count: number): string => {
      const values = Array.from({ length: count }, (_, i) => `n°${1000 + i}`);
      return echoCleaner(() => values).word('bsKwMTAwMA');
    };
    expect([encoded(1000), encoded(1001)]).toEqual(['[redacted]', 'bsKwMTAwMA']);
  });

  const { word, text } = echoCleaner(() => [...many, 'x'.repeat(300)]);

  test('hide it, and a short one that repeats one of them', () => {
    expect(text('anything')).toBe(HIDDEN_TEXT);
    expect(word('VALIDATION_ERROR')).toBe('VALIDATION_ERROR');
    for (const echo of ['NO_number/7_HERE', 'NUMBER/8', String.raw`number\/9`, 'number%2F10', 'x'.repeat(128)])
      expect(word(echo), echo).toBe('[redacted]');
  });
});

test('however many values are masked, long answers keep nobody waiting', () => {
  const value = (i: number): string => `${i}-secret-value-of-32-characters-`.padEnd(32, 'x');
  const long = 'an answer… with \\u00e9, '.repeat(3000);
  const startedAt = performance.now();
  for (const count of [1, 50, 500, 5000]) {
    const values = Array.from({ length: count }, (_, i) => value(i));
    for (let i = 0; i < 5; i++) {
      const cleaner = echoCleaner(() => values);
      expect(cleaner.word('req-0001')).toBe('req-0001');
      cleaner.text(long);
      expect(cleaner.word(`no ${value(0)}`)).not.toContain(value(0));
    }
  }
  // Patterns of all the values take more than ten times as long.
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test('a value is found whatever its case, escapes and encoding, also one with a backslash in it', () => {
  for (const value of [String.raw`dir\name\u0041x`, 'ΟΔΟΣΟΣ/straße', 'p@ss "word"']) {
    for (const form of [value, value.toUpperCase(), JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
      for (const said of ['word', 'text'] as const)
        if (form.toUpperCase() !== form || form.length === value.length)
          expect(echoCleaner(() => [value])[said](`before ${form} after`), form).toBe('before [redacted] after');
  }
});

test('nothing is looked for before there is a text', () => {
  let asked = 0;
  const { word } = echoCleaner(() => [`value-${++asked}`]);
  expect(asked).toBe(0);
  expect([word('value-1'), word('value-2'), asked]).toEqual(['[redacted]', 'value-2', 1]);
});

test('the beginning of a value at the end of a text goes whole, also where it repeats itself', () =>
  expect(echoCleaner(() => ['aaaaaaaaaaab']).text('x aaaaaaaaa… and aaaaaaa')).toBe('x [redacted]… and [redacted]'));

test('a value with half a character in it breaks nothing', () =>
  expect(echoCleaner(() => ['half-\ud800-half']).text('a half-\ud800-half b')).toBe('a [redacted] b'));

test('where it cannot be told what is masked, words are kept and texts are hidden', () => {
  const { word, text } = echoCleaner(() => undefined);
  expect([word('VALIDATION_ERROR'), text('anything')]).toEqual(['VALIDATION_ERROR', HIDDEN_TEXT]);
});

test('a value of six characters is looked for, and a shorter one is not', () => {
  const { text } = echoCleaner(() => ['secret', 'abcde']);
  expect(text('a secret of abcde')).toBe('a [redacted] of abcde');
});

describe('a value of more than 96 characters', () => {
  const value = textOf(98);

  test('is found where a piece of it stands alone, its last six characters among them', () => {
    const long = value + value.split('').toReversed().join('');
    expect(echoCleaner(() => [long]).text(`a ${long.slice(96, 192)} b`)).toBe('a [redacted] b');
    const { text } = echoCleaner(() => [value]);
    expect(text(`a ${value.slice(-6)} b`)).toBe('a [redacted] b');
    expect(text(`a ${value.slice(-2)}`)).toBe(`a ${value.slice(-2)}`);
  });

  test('goes to its last character, and so does its beginning at the end of a text', () => {
    const { text } = echoCleaner(() => [value]);
    expect(text(`a ${value} b`)).toBe('a [redacted] b');
    expect(text(`a ${value.slice(0, 97)}… b`)).toMatch(/^a \[redacted\].?… b$/);
  });

  test('is looked for in whole pieces where its length allows it', () => {
    const { text } = echoCleaner(() => [value.slice(0, 96)]);
    expect(text(`a ${value.slice(90, 96)} b`)).toBe(`a ${value.slice(90, 96)} b`);
  });
});

test('a value is found in whatever way a JSON writer escaped it, also behind a backslash that is not its own', () => {
  const { text } = echoCleaner(() => ['straße 7/b', 'u0041/yz', 'ΟΔΟΣΟΣ']);
  for (const form of [String.raw`stra\u00dfe 7\/b`, String.raw`stra\u00DFe 7/b`, String.raw`\u0073traße 7/b`])
    expect(text(`a ${form} b`), form).toBe('a [redacted] b');
  expect(text(String.raw`C:\u0041\/yz`)).toBe('C:[redacted]');
  expect(text('ΟΔΟΣΟΣΑ οδοσος')).toBe('[redacted]Α [redacted]');
});

test('the beginning of a value is taken away before each of the last 50 marks of a cap', () => {
  const { text } = echoCleaner(() => [IBAN]);
  const said = `no ${IBAN.slice(0, 12)}${'… and'.repeat(49)}`;
  expect(text(said)).toBe(said.replace(IBAN.slice(0, 12), '[redacted]'));
});
