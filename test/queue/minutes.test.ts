// The minute figures in Redis: added up, read with their gaps, small, and gone after a day.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { Minute as MinuteOfContract } from '../../dashboard/api/contract/overview.ts';
import { bucketOf } from '../../core/duration-buckets.ts';
import { minuteKey } from '../../queue/keys.ts';
import { emptyMinute, type Minute, MINUTE_MS, readMinutes, recordMinute } from '../../queue/minutes.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';

function connect(): { client: Redis; name: string } {
  const client = new Redis(redisUrl());
  const name = freshDestination();
  onTestFinished(async () => {
    client.disconnect();
    await cleanUp([name]);
  });
  return { client, name };
}

const now = Date.now();
const present = now - (now % MINUTE_MS);
const durations = (...ms: number[]) => new Map(ms.map((one, i) => [bucketOf(one), i + 1]));

test('what several workers add is one minute, and those without anything are zeros', async () => {
  const { client, name } = connect();
  const at = present - 2 * MINUTE_MS;
  await recordMinute(client, name, at, { delivered: 3, retried: 1, dead: 0, durations: durations(10) });
  await recordMinute(client, name, at, { delivered: 2, retried: 0, dead: 1, durations: durations(10, 1000) });
  const minutes: MinuteOfContract[] = await readMinutes({ client }, name, { minutes: 4, now });
  const none = { delivered: 0, retried: 0, dead: 0 };
  expect(minutes).toEqual<Minute[]>([
    { at: present - 3 * MINUTE_MS, ...none },
    { at, delivered: 5, retried: 1, dead: 1, p50Ms: 10.4, p95Ms: 939, p99Ms: 939 },
    { at: present - MINUTE_MS, ...none },
    { at: present, ...none },
  ]);
});

test('a busy minute weighs less than 1,000 bytes, and is gone after 25 hours', async () => {
  const { client, name } = connect();
  const counts = emptyMinute();
  for (let bucket = 0; bucket <= 80; bucket += 1) counts.durations.set(bucket, 10_000);
  await recordMinute(client, name, present, { ...counts, delivered: 800_000, retried: 9999, dead: 9999 });
  const key = minuteKey(name, present / MINUTE_MS);
  expect(await client.object('ENCODING', key)).toBe('listpack');
  expect(await client.memory('USAGE', key)).toBeLessThan(1000);
  const ttlMs = await client.pttl(key);
  expect(ttlMs).toBeGreaterThan(24 * 3_600_000);
  expect(ttlMs).toBeLessThanOrEqual(25 * 3_600_000);
});

test('a day is read at once, and no more than a day', async () => {
  const { client, name } = connect();
  expect(await readMinutes({ client }, name, { minutes: 100_000, now })).toHaveLength(1440);
});
