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
  const { word, text } = echoCleaner([...many, 'x'.repeat(300)]);

  test('hide it, and a short one that repeats one of them', () => {
    expect(text('anything')).toBe(HIDDEN_TEXT);
    expect(word('VALIDATION_ERROR')).toBe('VALIDATION_ERROR');
    for (const echo of ['NO_number/7_HERE', 'NUMBER/8', String.raw`number\/9`, 'number%2F10', 'x'.repeat(128)])
      expect(word(echo), echo).toBe('[redacted]');
  });
});

test('a value with half a character in it breaks nothing', () =>
  expect(echoCleaner(['half-\ud800-half']).text('a half-\ud800-half b')).toBe('a [redacted] b'));
