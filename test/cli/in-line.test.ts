import { expect, test } from 'vitest';
import { inLine } from '../../cli/in-line.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('results are given in their turn, those that have come at once; the first is awaited when too many are in line', async () => {
  const line = inLine<string>(2);
  const given: string[] = [];
  const joined = async (coming: Promise<string>): Promise<void> => {
    for await (const one of line.join(coming)) given.push(one);
  };
  const first = Promise.withResolvers<string>();
  const third = Promise.withResolvers<string>();
  await joined(first.promise);
  await joined(Promise.resolve('second'));
  await tick();
  expect(given).toEqual([]);
  const waiting = joined(third.promise);
  await tick();
  expect(given).toEqual([]);
  first.resolve('first');
  await waiting;
  expect(given).toEqual(['first', 'second']);
  third.resolve('third');
  for await (const one of line.rest()) given.push(one);
  expect(given).toEqual(['first', 'second', 'third']);
});

test('a line of none gives each before the next one joins', async () => {
  const line = inLine<number>(0);
  for (const n of [1, 2]) expect(await Array.fromAsync(line.join(Promise.resolve(n)))).toEqual([n]);
  expect(await Array.fromAsync(line.rest())).toEqual([]);
});
