// What every error of Waybill's own shows to whoever catches it.
import { expect, test } from 'vitest';
import { WaybillError } from '../../core/errors.ts';

test('an error bears its code, its words and its name', () => {
  const error = new WaybillError('NOT_FOUND', 'no such write');
  expect(String(error)).toBe('WaybillError: no such write');
  expect(error.code).toBe('NOT_FOUND');
});

test('a field and a cause stand there where there are some, and not at all where there are none', () => {
  const cause = new Error('below');
  expect(new WaybillError('INVALID_WRITE', 'x', { field: 'body', cause })).toMatchObject({ field: 'body', cause });
  const bare = new WaybillError('INVALID_WRITE', 'x');
  expect([Object.hasOwn(bare, 'field'), Object.hasOwn(bare, 'cause')]).toEqual([false, false]);
});
