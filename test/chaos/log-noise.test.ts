// How much trouble a log shows within a second.
import { expect, test } from 'vitest';
import { noisiestSecond } from './log-noise.ts';

const line = (worker: string, atMs: number, level: number, msg: string): string =>
  JSON.stringify({ level, time: new Date(atMs).toISOString(), worker, msg });

test('the noisiest second is counted by worker, wherever it begins, without the lines of attempts', () => {
  const lines = [
    ...[0, 100, 950, 1050, 1940].map((at) => line('a', at, 40, 'queue error')),
    ...[0, 1, 2, 3, 4, 5].map((at) => line('a', at, 40, 'will be retried')),
    ...[0, 1, 2, 3].map((at) => line('b', at, 30, 'fetches again')),
    line('b', 960, 50, 'queue error'),
  ];
  expect(noisiestSecond(lines)).toEqual({ count: 3, worker: 'a', said: 'queue error' });
});

test('what somebody else printed counts as trouble', () =>
  expect(noisiestSecond(['(node:1) Warning: a', '(Use `node --trace-warnings`)'])).toMatchObject({ count: 2 }));
