import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Redis } from 'ioredis';
import { createQueue } from '../../producer/index.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { judge } from '../../queue/fitness.ts';
import type { ServerFacts } from '../../queue/server-facts.ts';
import { createWorker } from '../../worker/index.ts';

const config = (url: string) => ({ redis: { url }, destinations: { sms: { baseUrl: 'http://127.0.0.1:9' } } });

const FIT: ServerFacts = {
  server: '127.0.0.1:6379',
  info: { redis_version: '7.0.15', maxmemory_policy: 'noeviction', aof_enabled: '1' },
  clockDifferenceMs: 0,
};

test('a Redis that cannot keep the promises is refused, with its address, what is wrong and what to do', () => {
  expect(judge(FIT)).toEqual([]);
  expect(() => judge({ ...FIT, info: { ...FIT.info, maxmemory_policy: 'allkeys-lru' } })).toThrow(
    expect.objectContaining({
      code: 'REDIS_UNFIT',
      message:
        'Redis at 127.0.0.1:6379: eviction: maxmemory-policy allkeys-lru evicts keys when memory is short, so writes could vanish. Set maxmemory-policy noeviction.',
    }) as Error,
  );
});

test('what is less than is promised is a warning at the start', () =>
  expect(judge({ ...FIT, info: { ...FIT.info, aof_enabled: '0' } })).toEqual([
    expect.stringMatching(/^Redis at 127\.0\.0\.1:6379: append-only: no append-only file: .* Set appendonly yes/),
  ]));

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
