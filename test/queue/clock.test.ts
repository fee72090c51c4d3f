// A worker's clock beside that of Redis, which nobody can set here: a client that tells any time stands in for it.
import type { Redis } from 'ioredis';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type Clock, type ClockNews, watchClock } from '../../queue/clock.ts';
import { eventually } from '../support/world.ts';

const trueNow = Date.now.bind(Date);
const HOUR_MS = 3_600_000;
afterEach(() => void vi.restoreAllMocks());

function start(): { clock: Clock; news: ClockNews[]; redis: { aheadMs: number } } {
  const redis = { aheadMs: 0 };
  const client = {
    status: 'ready',
    time: async () => {
      const now = trueNow() + redis.aheadMs;
      return [Math.floor(now / 1000), (now % 1000) * 1000];
    },
  } as unknown as Redis;
  const news: ClockNews[] = [];
  const clock = watchClock({ client, label: 'a test' }, (one) => void news.push(one), 20);
  onTestFinished(() => clock.stop());
  return { clock, news, redis };
}

test('a clock that creeps away from that of Redis, or that of Redis from it, is found by asking', async () => {
  const { clock, news, redis } = start();
  redis.aheadMs = 5000;
  await eventually(() => expect(clock.agrees()).toBe(false));
  expect(await clock.aheadMs()).toBeCloseTo(-5000, -3);
  redis.aheadMs = 900;
  await eventually(() => expect(clock.agrees()).toBe(true));
  expect(await clock.aheadMs()).toBe(0);
  expect(news.map(({ kind }) => kind)).toEqual(['differs', 'agrees']);
});

test('a jump that makes a clock right, as after a sleep of its machine, costs one question', async () => {
  const { clock, news, redis } = start();
  redis.aheadMs = HOUR_MS;
  vi.spyOn(Date, 'now').mockImplementation(() => trueNow() + HOUR_MS);
  expect(clock.agrees()).toBe(false);
  expect(await clock.aheadMs()).toBe(0);
  expect(clock.agrees()).toBe(true);
  expect(news).toEqual([]);
});
