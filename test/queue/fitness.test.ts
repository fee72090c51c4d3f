import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Redis } from 'ioredis';
import { createQueue } from '../../producer/index.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { judge } from '../../queue/fitness.ts';
import { createWorker } from '../../worker/index.ts';

const INFO = 'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';
const config = (url: string) => ({ redis: { url }, destinations: { sms: { baseUrl: 'http://127.0.0.1:9' } } });

describe('a Redis that cannot keep the promises is refused, each with one clear sentence', () => {
  test.each([
    ['too old', INFO.replace('7.0.15', '6.0.16'), 0, 'is version 6.0.16; 6.2 or newer is needed'],
    ['evicting', INFO.replace('noeviction', 'allkeys-lru'), 0, 'maxmemory-policy allkeys-lru'],
    ['a clock behind ours', INFO, 61_000, 'has a clock that is 61.0 s behind'],
    ['a clock ahead of ours', INFO, -1500, 'has a clock that is 1.5 s ahead of'],
  ])('%s', (_what, info, difference, sentence) =>
    expect(() => judge(info, difference, '127.0.0.1:6379')).toThrow(
      expect.objectContaining({ code: 'REDIS_UNFIT', message: expect.stringContaining(sentence) as string }) as Error,
    ),
  );

  test('one second of difference and version 6.2 will do', () =>
    expect(judge(INFO.replace('7.0.15', '6.2.0'), 1000, 'x').warnings).toEqual([]));

  test('without an append-only file it is warned about', () =>
    expect(judge(INFO.replace('aof_enabled:1', 'aof_enabled:0'), 0, 'x').warnings).toEqual([
      expect.stringContaining('keeps no append-only file'),
    ]));
});

test('a worker does not start on an evicting server', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-evicting-'));
  const server = await startPrivateRedis({ dir, args: ['--maxmemory-policy', 'allkeys-lru'] });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true });
  });
  await expect(createWorker(config(server.url))).rejects.toMatchObject({ code: 'REDIS_UNFIT' });
});

test.each([
  ['none', (url: string) => url],
  ['a wrong one', (url: string) => url.replace('redis://', 'redis://:hunter22@')],
])(
  'a Redis that wants another password (%s was given) is told apart from one that is away, at once',
  async (_what, change) => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-password-'));
    const server = await startPrivateRedis({ dir });
    const admin = new Redis(server.url);
    await admin.config('SET', 'requirepass', 's3cret-of-the-test');
    onTestFinished(async () => {
      admin.disconnect();
      server.kill();
      await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    });
    const refused = { code: 'QUEUE_REFUSED', message: expect.not.stringContaining('hunter22') as string };
    await expect(createWorker(config(change(server.url)))).rejects.toMatchObject(refused);
    const queue = createQueue('sms', { connection: change(server.url) });
    onTestFinished(() => queue.close());
    await expect(queue.add('send', { method: 'POST', path: '/x' })).rejects.toMatchObject(refused);
  },
);

test('a worker does not start without Redis, and says so within 5 s', async () =>
  expect(createWorker(config('redis://:hunter22@127.0.0.1:1'))).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    message: expect.not.stringContaining('hunter22') as string,
  }));
