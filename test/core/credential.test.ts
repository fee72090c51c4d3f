// What a destination's credential must be, to be sent as a header's value and found again where it must not stand.
import { describe, expect, test } from 'vitest';
import { credentialFault, secretOfFile } from '../../core/credential.ts';

describe('a credential', () => {
  test.each(['hunter', 'Bearer abc', 'a b c d', '!~!~!~', 'x'.repeat(5000)])('can be %j', (value) =>
    expect(credentialFault(value)).toBeUndefined(),
  );

  test.each([
    ['', 'is empty'],
    [' hunter22', "cannot be a header's value"],
    ['hunter22 ', "cannot be a header's value"],
    ['hunter  22', "cannot be a header's value"],
    ['hunter\n22', "cannot be a header's value"],
    ['hunter\t22', "cannot be a header's value"],
    ['hünter22', "cannot be a header's value"],
    ['hunt3', 'must have at least 6 characters'],
    ['a b c', 'must have at least 6 characters'],
  ])('cannot be %j, and is not repeated in what is said of it', (value, fault) =>
    expect(credentialFault(value)).toBe(fault),
  );

  test('in a file may end with one line break, which is none of it', () => {
    for (const text of ['hunter22', 'hunter22\n', 'hunter22\r\n']) expect(secretOfFile(text)).toBe('hunter22');
    expect(secretOfFile('hunter22\n\n')).toBe('hunter22\n');
    expect(secretOfFile('hunter\n22')).toBe('hunter\n22');
  });
});
