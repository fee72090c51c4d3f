// The page's addresses hold the filter, and every view's place below the server's base path.
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { DEAD_REASONS } from '../../core/decide.ts';
import { MAX_CODE } from '../../core/envelope.ts';
import { VERDICTS } from '../../core/verdict.ts';
import { LETTER_STATES, letterFilter, MAX_TEXT } from '../../dashboard/api/contract/filter.ts';
import {
  bulkFilter,
  chipsOf,
  type Filter,
  FILTER_FIELDS,
  filterParams,
  isContradictory,
  readField,
  readFilter,
  STATES,
  without,
} from '../../dashboard/web/src/logic/filter-url.ts';
import { setBase, to } from '../../dashboard/web/src/routes.ts';

afterEach(() => setBase('/'));

const text = (max: number) => fc.string({ minLength: 1, maxLength: max, unit: 'binary' });
const anyFilter: fc.Arbitrary<Filter> = fc
  .record(
    {
      destination: fc.constantFrom('sms', 'billing-2'),
      state: fc.constantFrom('replayed' as const, 'discarded' as const),
      code: text(40),
      field: text(40),
      without: fc.constantFrom('code' as const, 'field' as const, 'code,field' as const),
      status: fc.integer({ min: 100, max: 599 }),
      reason: fc.constantFrom(...DEAD_REASONS),
      verdict: fc.constantFrom(...VERDICTS),
      attempts: fc.integer({ min: 0, max: 1000 }),
      replayed: fc.constantFrom('yes' as const, 'no' as const),
      since: fc.integer({ min: 0, max: 4e12 }),
      before: fc.integer({ min: 0, max: 4e12 }),
      q: text(40),
    },
    { requiredKeys: [] },
  )
  .filter((filter) => !isContradictory(filter));

test('whatever filter is written into an address is read from it again', () => {
  fc.assert(
    fc.property(anyFilter, (filter) => {
      expect(readFilter(new URLSearchParams(filterParams(filter).toString()))).toEqual(filter);
    }),
  );
});

test('every address of the page is a query that the API takes', () => {
  fc.assert(
    fc.property(anyFilter, (filter) => {
      const read = letterFilter.safeParse(Object.fromEntries(filterParams(filter)));
      expect(read.data).toEqual({ state: 'open', ...filter });
    }),
  );
});

test("the page's filter has the fields and states of the contract's", () => {
  expect(FILTER_FIELDS.toSorted()).toEqual(Object.keys(letterFilter.shape).toSorted());
  expect(STATES).toEqual(LETTER_STATES);
  for (const [field, max] of [
    ['code', MAX_CODE],
    ['field', MAX_CODE],
    ['q', MAX_TEXT],
  ] as const) {
    expect(readField(field, 'x'.repeat(max))).toEqual({ [field]: 'x'.repeat(max) });
    expect(readField(field, 'x'.repeat(max + 1))).toEqual({});
  }
});

test('what is no filter is dropped from an address, and the rest of it holds', () => {
  const query = new URLSearchParams('status=teapot&verdict=maybe&attempts=-1&since=soon&code=A&nonsense=1&state=open');
  expect(readFilter(query)).toEqual({ code: 'A' });
  expect(readFilter(new URLSearchParams('code=A&without=code%2Cfield'))).toEqual({ code: 'A' });
  expect(readField('since', '2026-11-03T10:00:00Z')).toEqual({ since: Date.UTC(2026, 10, 3, 10) });
});

test('chips say each part in words, with times in the chosen zone, and go one by one', () => {
  const filter: Filter = { code: 'RATE_LIMITED', since: 5, replayed: 'yes' };
  expect(chipsOf(filter, (at) => `at ${at}`)).toEqual([
    { field: 'code', name: 'code', value: 'RATE_LIMITED' },
    { field: 'replayed', name: 'replayed before', value: 'yes' },
    { field: 'since', name: 'since', value: 'at 5' },
  ]);
  const lacking: Filter = { without: 'code,field' };
  expect(chipsOf(lacking, String)).toEqual([{ field: 'without', name: 'without', value: 'code and field' }]);
  expect(without(filter, 'code', 'since')).toEqual({ replayed: 'yes' });
});

test('a bulk operation takes the filter without its destination and state', () => {
  expect(bulkFilter({ destination: 'sms', state: 'discarded', status: 422 })).toEqual({ status: 422 });
});

describe('addresses', () => {
  test.each([
    ['/', '/letters/sms/a%2Fb'],
    ['/ops/waybill/', '/ops/waybill/letters/sms/a%2Fb'],
  ])('below %s one letter is %s', (base, address) => {
    setBase(base);
    expect(to.letter('sms', 'a/b')).toBe(address);
  });

  test('a list is named by its filter and its place in it', () => {
    setBase('/ops/');
    expect(to.letters({ destination: 'sms', code: 'A&B' }, { first: 'oldest', cursor: 'c=1' })).toBe(
      '/ops/letters?destination=sms&code=A%26B&first=oldest&cursor=c%3D1',
    );
    expect(to.letters()).toBe('/ops/letters');
    expect(to.groups('sms')).toBe('/ops/?destination=sms');
  });
});

test('a letter that is opened from a list knows the list, also one without a filter', () => {
  expect(to.letter('sms', 'w1.g0')).toBe('/letters/sms/w1.g0');
  expect(to.letter('sms', 'w1.g0', {})).toBe('/letters/sms/w1.g0?state=open');
  expect(to.letter('sms', 'w1.g0', { code: 'A B', since: 5 })).toBe('/letters/sms/w1.g0?code=A+B&since=5');
  expect(to.edit('sms', 'w1.g0', { state: 'discarded' })).toBe('/letters/sms/w1.g0/edit?state=discarded');
});
