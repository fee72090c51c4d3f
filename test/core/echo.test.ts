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

  test('keeps a code that the rules know by name, whatever the write says', () => {
    const named = answerCleaner(write('IN_PROGRESS'), MASKING, ['IN_PROGRESS']);
    expect([named('IN_PROGRESS'), named('not IN_PROGRESS')]).toEqual(['IN_PROGRESS', 'not [redacted]']);
  });

  test('is left as it is where nothing is masked', () =>
    expect(answerCleaner(write(IBAN), { body: [], headers: [] }, [])(IBAN)).toBe(IBAN));
});

describe('more values than can be looked for in a long text', () => {
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
