// An error in a log line: who reads the log learns what went wrong, and no secret.
import { expect, test } from 'vitest';
import { errorFields } from '../../core/error-fields.ts';

test('an error is told by name, code and message alone, without userinfo', () => {
  const error = Object.assign(new TypeError('NOPERM on redis://app:hunter22@127.0.0.1'), {
    code: 'NOPERM',
    command: { args: ['hunter22'] },
  });
  expect(errorFields(error)).toStrictEqual({
    name: 'TypeError',
    code: 'NOPERM',
    message: 'NOPERM on redis://127.0.0.1',
  });
});

test('whatever is thrown is told as an error', () => {
  for (const thrown of [null, undefined, 7, 'hunter22', {}, { name: 1, code: 2, message: 3 }])
    expect(errorFields(thrown)).toStrictEqual({ name: 'Error', message: '' });
});

test('a long error does not fill the log', () => {
  const long = 'x'.repeat(1000);
  expect(errorFields({ name: long, code: long, message: long })).toStrictEqual({
    name: 'x'.repeat(64),
    code: 'x'.repeat(64),
    message: 'x'.repeat(300),
  });
});
