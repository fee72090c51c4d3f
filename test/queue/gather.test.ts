// Batches of those who ask at once: how many go together, and what becomes of those whose turn comes too late.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Gathering } from '../../queue/gather.ts';

const LONG_MS = 60_000;

test('what comes at once goes together, up to the size of a batch; the rest goes in the next, and every item has its own answer', async () => {
  const sizes: number[] = [];
  let underWay = 0;
  const run = async (items: readonly number[]): Promise<number[]> => {
    sizes.push(items.length);
    underWay += 1;
    expect(underWay).toBe(1);
    await sleep(1);
    underWay -= 1;
    return items.map((item) => item * 10);
  };
  const gathering = new Gathering(run, LONG_MS, LONG_MS, 4);
  const asked = [[1], [2, 3], [4, 5], [6], [7], [8]];
  const answers = await Promise.all(asked.map((items) => gathering.add(items)));
  expect(answers).toEqual(asked.map((items) => items.map((item) => item * 10)));
  expect(sizes).toEqual([3, 4, 1]);
  expect(await gathering.add([9])).toEqual([90]);
});

test('items that are more than a batch by themselves stay together', async () => {
  const gathering = new Gathering(async (items: readonly number[]) => [...items], LONG_MS, LONG_MS, 2);
  expect(await Promise.all([gathering.add([1]), gathering.add([2, 3, 4])])).toEqual([[1], [2, 3, 4]]);
});

test('a batch whose turn comes too late is not run, and says so; what is asked for later is', async () => {
  const ran: number[] = [];
  const run = async (items: readonly number[]): Promise<number[]> => {
    ran.push(...items);
    await sleep(100);
    return [...items];
  };
  const gathering = new Gathering(run, LONG_MS, 50, 1);
  const first = gathering.add([1]);
  await expect(gathering.add([2])).rejects.toMatchObject({ name: 'NotBegunError' });
  expect(await first).toEqual([1]);
  expect(await gathering.add([3])).toEqual([3]);
  expect(ran).toEqual([1, 3]);
});

test('a batch without an answer holds up the next for the limit, and one that fails not at all', async () => {
  const endless = new Promise<number[]>(() => {});
  const run = ([item = 0]: readonly number[]): Promise<number[]> =>
    item === 1 ? endless : item === 2 ? Promise.reject(new Error('two')) : Promise.resolve([item]);
  const gathering = new Gathering(run, 20, LONG_MS, 1);
  void gathering.add([1]);
  const [two, three] = await Promise.allSettled([gathering.add([2]), gathering.add([3])]);
  expect(two).toMatchObject({ reason: { message: 'two' } });
  expect(three).toMatchObject({ value: [3] });
});
