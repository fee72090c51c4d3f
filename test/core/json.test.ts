import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRecord, parseKeepingDigits } from '../../core/json.ts';

test('numbers that a double cannot hold keep their digits', () =>
  expect(JSON.stringify(parseKeepingDigits('{"id":12345678901234567890,"x":1.10,"e":1E2,"n":5}'))).toBe(
    '{"id":12345678901234567890,"x":1.10,"e":1E2,"n":5}',
  ));

test('a number that a double holds is a number', () =>
  expect(parseKeepingDigits('[5,-0.5,0,"1.10",true]')).toEqual([5, -0.5, 0, '1.10', true]));

test('what is no JSON is refused', () => expect(() => parseKeepingDigits('{')).toThrow(SyntaxError));

test('every JSON text that JSON.stringify wrote comes back as it was', () => {
  fc.assert(
    fc.property(fc.json(), (text) => JSON.stringify(parseKeepingDigits(text)) === JSON.stringify(JSON.parse(text))),
  );
});

test('any other number is a number', () =>
  expect(parseKeepingDigits('[5,-0.5,1e21,1.10]')).toEqual([5, -0.5, JSON.rawJSON('1e21'), JSON.rawJSON('1.10')]));

test('a raw number is no record', () => {
  expect(isRecord(parseKeepingDigits('12345678901234567890'))).toBe(false);
  expect(isRecord({})).toBe(true);
  expect(isRecord(null)).toBe(false);
  expect(isRecord([])).toBe(false);
  expect(isRecord('text')).toBe(false);
  expect(isRecord(undefined)).toBe(false);
});
