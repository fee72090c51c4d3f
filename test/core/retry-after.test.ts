import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHttpDate, parseRetryAfter } from '../../core/retry-after.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('Retry-After in seconds', () => {
  test.each([
    ['0', 0],
    ['2', 2000],
    [' 120 ', 120_000],
    ['1.5', 1500],
    ['0.0001', 1],
  ])('%j is %i ms', (value, ms) => expect(parseRetryAfter(value, NOW)).toBe(ms));

  test.each([undefined, '', '-1', '+1', '1e3', '0x10', 'soon', '1,5', '1.', '.5', '99999999999', 'Infinity', '１'])(
    '%j is no opinion',
    (value) => expect(parseRetryAfter(value, NOW)).toBeUndefined(),
  );
});

describe('Retry-After as an HTTP-date', () => {
  test.each(['Sun, 22 Nov 2026 12:00:02 GMT', 'Sunday, 22-Nov-26 12:00:02 GMT', 'Sun Nov 22 12:00:02 2026'])(
    '%j, a form that RFC 9110 names, is 2 s from now',
    (value) => expect(parseRetryAfter(value, NOW)).toBe(2000),
  );

  test('a date that has passed asks for no wait', () =>
    expect(parseRetryAfter('Sun, 22 Nov 2026 11:00:00 GMT', NOW)).toBe(0));

  test.each([
    '2026-11-22T12:00:02Z',
    'Sun, 22 Foo 2026 12:00:02 GMT',
    'Sun, 32 Nov 2026 12:00:02 GMT',
    'Sun, 22 Nov 2026 12:00:02 CET',
    '22 Nov 2026',
  ])('%j is no opinion', (value) => expect(parseRetryAfter(value, NOW)).toBeUndefined());

  test('every second of this century survives being written as IMF-fixdate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 946_684_800, max: 4_102_444_799 }), (seconds) => {
        return parseHttpDate(new Date(seconds * 1000).toUTCString(), NOW) === seconds * 1000;
      }),
    );
  });
});

test('whatever an API sends, the wait is undefined or a whole number that is not negative', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const ms = parseRetryAfter(value, NOW);
      return ms === undefined || (Number.isSafeInteger(ms) && ms >= 0);
    }),
  );
});
