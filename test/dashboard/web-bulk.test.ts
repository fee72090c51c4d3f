// From a group, a stretch of a chart or a dry run to a bulk operation.
import { expect, test } from 'vitest';
import { missingIn } from '../../dashboard/web/src/logic/bulk-confirm.ts';
import { groupFilter } from '../../dashboard/web/src/logic/group-filter.ts';
import { progressWords } from '../../dashboard/web/src/logic/operation-words.ts';
import { barAt, rangeOf } from '../../dashboard/web/src/logic/spark-range.ts';

const group = (code: string | undefined, field: string | undefined, more: object = {}) => ({
  destination: 'sms',
  ...(code !== undefined && { code }),
  ...(field !== undefined && { field }),
  count: 2,
  statuses: { 422: 2 },
  reasons: { rejected: 2 },
  ...more,
});

test('a group with a code and a field is meant by them', () => {
  const one = group('INVALID', 'email');
  expect(groupFilter(one, [one, group('INVALID', 'phone')])).toEqual({
    filter: { destination: 'sms', code: 'INVALID', field: 'email' },
    exact: true,
  });
});

test('a group without a field is not meant by its code where another group of the code has one', () => {
  const one = group('INVALID', undefined);
  expect(groupFilter(one, [one, group('OTHER', 'email')]).exact).toBe(true);
  expect(groupFilter(one, [one, group('INVALID', 'email')]).exact).toBe(false);
});

test('a group without a code is meant by the status or the reason that it alone has', () => {
  const proxy = group(undefined, undefined, { statuses: { 502: 2 }, reasons: { exhausted: 2 } });
  expect(groupFilter(proxy, [proxy, group('INVALID', 'email')])).toEqual({
    filter: { destination: 'sms', status: 502 },
    exact: true,
  });
  const reset = group(undefined, undefined, { statuses: {}, reasons: { exhausted: 2 } });
  expect(groupFilter(reset, [reset, group('INVALID', 'email')])).toEqual({
    filter: { destination: 'sms', reason: 'exhausted' },
    exact: true,
  });
  expect(groupFilter(reset, [reset, group('DOWN', undefined, { reasons: { exhausted: 2 } })]).exact).toBe(false);
});

test('a status that only some of the letters have does not stand for the group', () => {
  const mixed = group(undefined, undefined, { statuses: { 502: 1 }, reasons: { exhausted: 1, crashed: 1 } });
  expect(groupFilter(mixed, [mixed, group('INVALID', 'email')])).toEqual({
    filter: { destination: 'sms' },
    exact: false,
  });
});

test('groups of another destination are no reason for doubt', () => {
  const one = group(undefined, undefined);
  expect(groupFilter(one, [one, group('INVALID', undefined, { destination: 'billing' })]).exact).toBe(true);
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
