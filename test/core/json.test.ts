import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRecord, parseKeepingDigits } from '../../core/json.ts';

test('numbers that a double cannot hold keep their digits', () =>
  expect(JSON.stringify(parseKeepingDigits('{"id":12345678901234567890,"x":1.10,"e":1E2,"n":5}'))).toBe(
    '{"id":12345678901234567890,"x":1.10,"e":1E2,"n":5}',
  ));

test('every JSON text that JSON.stringify wrote comes back as it was', () => {
  fc.assert(
    fc.property(fc.json(), (text) => JSON.stringify(parseKeepingDigits(text)) === JSON.stringify(JSON.parse(text))),
  );
});

test('a raw number is no record', () => {
  expect(isRecord(parseKeepingDigits('12345678901234567890'))).toBe(false);
  expect(isRecord({})).toBe(true);
  expect(isRecord(null)).toBe(false);
});
