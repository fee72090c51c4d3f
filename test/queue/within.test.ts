// A wait with a limit.
import { expect, test } from 'vitest';
import { within } from '../../queue/within.ts';

test('what comes in time is given, and what is thrown in time is thrown', async () => {
  expect(await within(10_000, Promise.resolve('here'))).toBe('here');
  await expect(within(10_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('what comes late is undefined, and an error after that is nobody’s', async () => {
  const late = Promise.withResolvers<string>();
  expect(await within(1, late.promise)).toBeUndefined();
  late.reject(new Error('late'));
  // An unhandled rejection would fail this run.
  await new Promise((resolve) => setTimeout(resolve, 5));
});
