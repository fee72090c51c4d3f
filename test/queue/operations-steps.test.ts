// The steps of a canary replay, and when one stops itself.
import { expect, test } from 'vitest';
import type { Standing } from '../../queue/operations/read.ts';
import { isTooMany, stepAfter, stepsOf, tooManyInWords } from '../../queue/operations/steps.ts';

const standing = (delivered: number, dead: number, stopShare: number): Standing =>
  ({ spec: { stopShare }, since: { from: 0, done: delivered + dead, delivered, dead } }) as Standing;

test('canary steps are 1, 10 % and the rest, without those that would be empty', () => {
  expect(stepsOf(412)).toEqual([1, 42, 412]);
  expect(stepsOf(11)).toEqual([1, 2, 11]);
  expect(stepsOf(10)).toEqual([1, 10]);
  expect(stepsOf(1)).toEqual([1]);
  expect(stepsOf(0)).toEqual([]);
});

test('a step whose items are done already is passed over', () => {
  expect(stepAfter(1, 1, 412)).toEqual({ n: 2, until: 42 });
  expect(stepAfter(1, 60, 412)).toEqual({ n: 3, until: 412 });
  expect(stepAfter(2, 42, 412)).toEqual({ n: 3, until: 412 });
  expect(stepAfter(1, 1, 1)).toEqual({ n: 1, until: 1 });
});

test('more than the share stops it, at the end of a step or once five have ended; a share of 1 never does', () => {
  expect(isTooMany(standing(4, 1, 0.2), false)).toBe(false);
  expect(isTooMany(standing(3, 2, 0.2), false)).toBe(true);
  expect(isTooMany(standing(0, 4, 0.2), false)).toBe(false);
  expect(isTooMany(standing(0, 1, 0.2), true)).toBe(true);
  expect(isTooMany(standing(0, 0, 0), true)).toBe(false);
  expect(isTooMany(standing(0, 50, 1), true)).toBe(false);
  expect(isTooMany(standing(999, 1, 0), false)).toBe(true);
});

test('the words count, name the commonest code, and print no control character of it', () => {
  const codes = { VALIDATION_ERROR: '2', OTHER: '1' };
  expect(tooManyInWords(standing(2, 3, 0.2), codes)).toBe(
    '3 of 5 replayed writes are dead again, most with VALIDATION_ERROR',
  );
  expect(tooManyInWords(standing(0, 1, 0.2), { 'A\u001b[31mB': '1' })).toMatch(
    /^1 of 1 replayed write is dead again, with A.*B$/,
  );
  expect(tooManyInWords(standing(0, 1, 0.2), { 'A\u001b[31mB': '1' })).not.toContain('\u001b');
});
