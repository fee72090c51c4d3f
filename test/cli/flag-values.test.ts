import { expect, test } from 'vitest';
import { fromNow, inWords } from '../../cli/age.ts';
import { duration, isoInstant, perSecond, textUpTo, wholeNumber } from '../../cli/flag-values.ts';
import { filterOf } from '../../cli/letter-flags.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('a span of %s is %d ms', (text, ms) => expect(duration(text)).toBe(ms));

test.each(['', '5', '0s', '1.5h', '-1h', '1w', '1h30m', '9999999999s', 'h'])('a span of %j is refused', (text) =>
  expect(() => duration(text)).toThrow('90s, 15m, 2h or 7d'),
);

test('a time has its zone', () => {
  expect(isoInstant('2026-11-22T17:01:02Z')).toBe(Date.UTC(2026, 10, 22, 17, 1, 2));
  expect(isoInstant('2026-11-22T17:01:02.5+01:00')).toBe(Date.UTC(2026, 10, 22, 16, 1, 2, 500));
  expect(isoInstant('2028-02-29T23:59Z')).toBe(Date.UTC(2028, 1, 29, 23, 59));
  for (const text of ['2026-02-31T00:00:00Z', '2026-02-29T00:00:00Z', '2026-04-31T00:00:00+02:00'])
    expect(() => isoInstant(text)).toThrow('that exists');
  for (const text of ['2026-01-01T24:00:00Z', '2026-01-01T00:00:00+25:00', '2026-01-01T00:60Z', '2026-01-01T..Z'])
    expect(() => isoInstant(text)).toThrow('that exists');
  for (const text of ['2026-11-22', '2026-11-22T17:01:02', '2026-13-01T00:00:00Z', 'now', '1795370462000'])
    expect(() => isoInstant(text)).toThrow('ISO time with its zone');
});

test('a rate may be less than one a second, and is never none', () => {
  expect([perSecond('10000'), perSecond('0.5')]).toEqual([10_000, 0.5]);
  for (const text of ['0', '0.0', '-1', '10001', '1e3', '', 'fast']) expect(() => perSecond(text)).toThrow('above 0');
});

test('numbers and texts have bounds', () => {
  expect(wholeNumber(1, 5)('5')).toBe(5);
  for (const text of ['0', '6', '1.5', '', '0x2']) expect(() => wholeNumber(1, 5)(text)).toThrow('from 1 to 5');
  expect(textUpTo(3)('abc')).toBe('abc');
  for (const text of ['', 'abcd']) expect(() => textUpTo(3)(text)).toThrow('1 to 3 characters');
});

test('ages are bounds of the time of death, counted from the same moment', () => {
  expect(filterOf({}, 1000)).toEqual({});
  expect(filterOf({ olderThan: 300, newerThan: 900 }, 1000)).toEqual({ since: 100, before: 700 });
  expect(filterOf({ code: 'A', withoutField: true }, 1000)).toEqual({ code: 'A', without: ['field'] });
  expect(filterOf({ since: 5, before: 9, deadReason: 'crashed' }, 1000)).toEqual({
    since: 5,
    before: 9,
    reason: 'crashed',
  });
  expect(() => filterOf({ since: 9, before: 9 }, 1000)).toThrow('nothing can match');
});

test('spans are told in one unit', () => {
  expect([0, 119_999, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000].map(inWords)).toEqual([
    '0 s',
    '119 s',
    '2 m',
    '119 m',
    '2 h',
    '47 h',
    '2 d',
  ]);
  expect([fromNow(5000, 2000), fromNow(2000, 5000)]).toEqual(['in 3 s', '3 s ago']);
});
