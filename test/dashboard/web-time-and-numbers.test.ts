// Times, counts and hostile text, as the page says them.
import { expect, test } from 'vitest';
import { byteWords, counted, countWords, percentWords } from '../../dashboard/web/src/logic/number-words.ts';
import {
  absoluteWords,
  clockWords,
  durationWords,
  inputValueOf,
  instantOf,
  minuteWords,
  relativeWords,
} from '../../dashboard/web/src/logic/time-words.ts';
import { visible } from '../../dashboard/web/src/logic/visible.ts';

const NOW = Date.UTC(2026, 10, 3, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, '0 ms'],
  [80, '80 ms'],
  [4610, '4.6 s'],
  [9000, '9 s'],
  [12_000, '12 s'],
  [90_000, '1 min 30 s'],
  [15 * MINUTE, '15 min'],
  [3 * HOUR + 5 * MINUTE, '3 h 5 min'],
  [23 * HOUR + 29 * MINUTE, '23 h'],
  [23 * HOUR + 30 * MINUTE, '24 h'],
  [90 * DAY - MINUTE, '90 d'],
  [89 * DAY + 11 * HOUR, '89 d'],
  [3 * DAY + 4 * HOUR, '3 d 4 h'],
  [-5, '0 ms'],
])('%d ms are %s', (durationMs, words) => {
  expect(durationWords(durationMs)).toBe(words);
});

test.each([
  [0, 'just now'],
  [-4000, 'just now'],
  [-40_000, '40 s ago'],
  [-3 * DAY - HOUR, '3 d ago'],
  [7 * DAY - MINUTE, 'in 7 d'],
  [24 * HOUR - MINUTE, 'in 24 h'],
  [4000, 'now'],
  [2 * HOUR + MINUTE, 'in 2 h'],
])('%d ms from now is %s', (distanceMs, words) => {
  expect(relativeWords(NOW + distanceMs, NOW)).toBe(words);
});

test('an absolute time says its zone where that is UTC, and what is no time is said as it is', () => {
  expect(absoluteWords(NOW, 'utc')).toBe('2026-11-03 12:00:00Z');
  expect(absoluteWords(NOW, 'local')).toMatch(/^2026-11-0\d \d\d:\d\d:\d\d$/);
  expect(absoluteWords(9e15, 'utc')).toBe('9000000000000000');
});

test.each(['utc', 'local'] as const)('a time put into a field is read from it again, %s', (zone) => {
  expect(instantOf(inputValueOf(NOW, zone), zone)).toBe(NOW);
  expect(instantOf('', zone)).toBeUndefined();
});

test('a bounded count says "at least"', () => {
  expect(countWords(20_000, true)).toBe('at least 20,000');
  expect(countWords(412)).toBe('412');
});

test('counts, shares and sizes are said in words', () => {
  expect(counted(1, 'dead letter')).toBe('1 dead letter');
  expect(counted(1234, 'dead letter')).toBe('1,234 dead letters');
  expect([0, 0.005, 0.2, 1].map(percentWords)).toEqual(['0 %', '0.5 %', '20 %', '100 %']);
  expect([0, 999, 1000, 244_000, 3_200_000].map(byteWords)).toEqual(['0 B', '999 B', '1.0 kB', '244 kB', '3.2 MB']);
});

test('characters that hide or reorder others are made visible, and letters of every script are left', () => {
  expect(visible('a\u202eb\u0000c\u200b')).toBe('a⟨202E⟩b⟨0000⟩c⟨200B⟩');
  expect(visible('مرحبا <b>\t\n é 👍')).toBe('مرحبا <b>\t\n é 👍');
});

test('where seconds say nothing they are left out, and the zone stays', () => {
  expect(minuteWords(NOW, 'utc')).toBe('2026-11-03 12:00Z');
  expect(minuteWords(NOW, 'local')).toBe(absoluteWords(NOW, 'local').slice(0, 16));
  expect(clockWords(NOW, 'utc')).toBe('12:00');
});
