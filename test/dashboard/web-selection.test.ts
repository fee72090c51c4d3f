// Rows that are selected: one by one, a range, a page, all that match.
import { expect, test } from 'vitest';
import {
  EVERYTHING,
  isSelected,
  NOTHING,
  pageState,
  pageToggled,
  type Selection,
  toggled,
} from '../../dashboard/web/src/logic/selection.ts';

const PAGE = ['a', 'b', 'c', 'd', 'e'];
const ids = (selection: Selection): string[] => [...selection.ids].toSorted();

test('a click selects a row, and another one lets go of it', () => {
  const one = toggled(NOTHING, 'b', PAGE, false);
  expect(ids(one)).toEqual(['b']);
  expect(ids(toggled(one, 'b', PAGE, false))).toEqual([]);
});

test('shift selects from the last clicked row to this one, upwards too', () => {
  const from = toggled(NOTHING, 'd', PAGE, false);
  expect(ids(toggled(from, 'b', PAGE, true))).toEqual(['b', 'c', 'd']);
});

test('shift on a selected row lets go of the whole range', () => {
  const all = pageToggled(NOTHING, PAGE);
  const off = toggled(all, 'b', PAGE, false);
  expect(ids(toggled(off, 'd', PAGE, true))).toEqual(['a', 'e']);
});

test('shift without a row before it, or after one of another page, selects one row', () => {
  expect(ids(toggled(NOTHING, 'c', PAGE, true))).toEqual(['c']);
  const elsewhere = toggled(NOTHING, 'z', ['z'], false);
  expect(ids(toggled(elsewhere, 'c', PAGE, true))).toEqual(['c', 'z']);
});

test('the box of the head selects the page beside what other pages have, and lets go of the page alone', () => {
  const elsewhere = toggled(NOTHING, 'z', ['z'], false);
  const both = pageToggled(elsewhere, PAGE);
  expect(ids(both)).toEqual([...PAGE, 'z']);
  expect(ids(pageToggled(both, PAGE))).toEqual(['z']);
});

test('out of "all that match" a click steps back to the rows in sight, without that row', () => {
  expect(isSelected(EVERYTHING, 'anything')).toBe(true);
  const back = toggled(EVERYTHING, 'c', PAGE, false);
  expect(back.all).toBe(false);
  expect(ids(back)).toEqual(['a', 'b', 'd', 'e']);
});

test('the box of the head says all, some or none of the page', () => {
  expect(pageState(NOTHING, PAGE)).toBe('none');
  expect(pageState(toggled(NOTHING, 'a', PAGE, false), PAGE)).toBe('some');
  expect(pageState(pageToggled(NOTHING, PAGE), PAGE)).toBe('all');
  expect(pageState(EVERYTHING, PAGE)).toBe('all');
});
