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
    ['9999999999.999999999', 10_000_000_000_000],
  ])('%j is %i ms', (value, ms) => expect(parseRetryAfter(value, NOW)).toBe(ms));

  test.each([
    undefined,
    '',
    '-1',
    '+1',
    '1e3',
    '0x10',
    'soon',
    '1,5',
    '1.',
    '.5',
    '99999999999',
    'Infinity',
    '１',
    '   ',
    '2 s',
    's 2',
    '1.1234567891',
  ])('%j is no opinion', (value) => expect(parseRetryAfter(value, NOW)).toBeUndefined());
});

describe('Retry-After as an HTTP-date', () => {
  test.each(['Sun, 22 Nov 2026 12:00:02 GMT', 'Sunday, 22-Nov-26 12:00:02 GMT', 'Sun Nov 22 12:00:02 2026'])(
    '%j, a form that RFC 9110 names, is 2 s from now',
    (value) => expect(parseRetryAfter(value, NOW)).toBe(2000),
  );

  test('asctime has a day of one digit behind two spaces', () =>
    expect(parseHttpDate('Sun Nov  1 12:00:02 2026', NOW)).toBe(Date.UTC(2026, 10, 1, 12, 0, 2)));

  test.each([
    ['Wednesday, 22-Nov-76 12:00:02 GMT', 2076],
    ['Tuesday, 22-Nov-77 12:00:02 GMT', 1977],
    ['Wednesday, 22-Nov-00 12:00:02 GMT', 2000],
  ])('the two digits of %j, more than 50 years ahead, are of the past: %i', (value, year) =>
    expect(parseHttpDate(value, NOW)).toBe(Date.UTC(year, 10, 22, 12, 0, 2)),
  );

  test('four digits of a year are that year, however far ahead', () =>
    expect(parseHttpDate('Sun, 22 Nov 2099 12:00:02 GMT', NOW)).toBe(Date.UTC(2099, 10, 22, 12, 0, 2)));

  test('a month is one of twelve names', () => {
    const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
    expect(months.map((name) => parseHttpDate(`Sun, 01 ${name} 2026 00:00:00 GMT`, NOW))).toEqual(
      months.map((_, month) => Date.UTC(2026, month, 1)),
    );
  });

  test.each([
    ['Sun, 31 Oct 2026 23:59:60 GMT', Date.UTC(2026, 10, 1)],
    ['Sun, 01 Nov 2026 23:59:59 GMT', Date.UTC(2026, 10, 1, 23, 59, 59)],
  ])('%j is at the edge of the ranges, a leap second included', (value, at) =>
    expect(parseHttpDate(value, NOW)).toBe(at),
  );

  test('a date that has passed asks for no wait', () =>
    expect(parseRetryAfter('Sun, 22 Nov 2026 11:00:00 GMT', NOW)).toBe(0));

  test.each([
    '2026-11-22T12:00:02Z',
    'Sun, 22 Foo 2026 12:00:02 GMT',
    'Sun, 32 Nov 2026 12:00:02 GMT',
    'Sun, 22 Nov 2026 12:00:02 CET',
    '22 Nov 2026',
    'Sun, 00 Nov 2026 12:00:02 GMT',
    'Sun, 22 Nov 2026 24:00:02 GMT',
    'Sun, 22 Nov 2026 12:60:02 GMT',
    'Sun, 22 Nov 2026 12:00:61 GMT',
    ...['Sun, 22 Nov 2026 12:00:02 GMT', 'Sunday, 22-Nov-26 12:00:02 GMT', 'Sun Nov 22 12:00:02 2026'].flatMap(
      (date) => [`on ${date}`, `${date} or so`],
    ),
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
