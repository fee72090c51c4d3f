// From a group, a stretch of a chart or a dry run to a bulk operation.
import { expect, test } from 'vitest';
import { missingIn } from '../../dashboard/web/src/logic/bulk-confirm.ts';
import { groupFilter } from '../../dashboard/web/src/logic/group-filter.ts';
import { progressWords } from '../../dashboard/web/src/logic/operation-words.ts';
import { barAt, rangeOf } from '../../dashboard/web/src/logic/spark-range.ts';

test('a group is meant by its code and its field, and where it has none by that', () => {
  const of = (told: { code?: string; field?: string }) => groupFilter({ destination: 'sms', ...told });
  expect(of({ code: 'INVALID', field: 'email' })).toEqual({ destination: 'sms', code: 'INVALID', field: 'email' });
  expect(of({ code: 'INVALID' })).toEqual({ destination: 'sms', code: 'INVALID', without: 'field' });
  expect(of({ field: 'email' })).toEqual({ destination: 'sms', field: 'email', without: 'code' });
  expect(of({})).toEqual({ destination: 'sms', without: 'code,field' });
});

test('a drag over the chart means whole bars, whichever way, and stays inside', () => {
  expect([-0.5, 0, 0.5, 1, 2].map((share) => barAt(share, 10))).toEqual([0, 0, 5, 9, 9]);
  expect(rangeOf(4, 2, 1000, 100)).toEqual({ since: 1200, before: 1500 });
  expect(rangeOf(3, 3, 1000, 100)).toEqual({ since: 1300, before: 1400 });
});

const TYPED = { reason: 'mended', count: '', phrase: '', rate: '10', stopPercent: '20' };

test('an operation needs a reason, and what the dry run asks to be typed', () => {
  expect(missingIn(TYPED, { act: 'replay', confirm: {} })).toEqual({});
  expect(Object.keys(missingIn({ ...TYPED, reason: '  ' }, { act: 'discard', confirm: {} }))).toEqual(['reason']);
  const confirm = { count: 1412, phrase: 'applied twice' } as const;
  expect(Object.keys(missingIn(TYPED, { act: 'replay', confirm }))).toEqual(['count', 'phrase']);
  expect(missingIn({ ...TYPED, count: '1,412', phrase: 'applied twice ' }, { act: 'replay', confirm })).toEqual({});
  expect(Object.keys(missingIn({ ...TYPED, count: '141', phrase: 'Applied' }, { act: 'replay', confirm }))).toEqual([
    'count',
    'phrase',
  ]);
});

test('a rate and a stop share out of bounds are told at their fields; a discard has no stop share', () => {
  const wrong = { ...TYPED, rate: '0', stopPercent: 'half' };
  expect(Object.keys(missingIn(wrong, { act: 'replay', confirm: {} }))).toEqual(['rate', 'stopPercent']);
  expect(Object.keys(missingIn(wrong, { act: 'discard', confirm: {} }))).toEqual(['rate']);
});

test('the progress of an operation counts whatever was handled, also what was refused', () => {
  const counts = { done: 80, refused: 5, handled: 3, missing: 1, failed: 1 };
  expect(progressWords({ counts, total: 120, state: 'running' })).toBe('90 of 120 (75 %), running');
});
