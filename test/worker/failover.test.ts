// Redis that answers, but cannot write: a failover, or no memory. What is known about a write must not be forgotten.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createSandbox } from '../../dev/testing.ts';
import { createQueue } from '../../producer/index.ts';
import { find } from '../../queue/find.ts';
import { Reader } from '../../queue/reader.ts';
import { createWorker } from '../../worker/index.ts';
import { API_KEY, eventually, planned } from '../support/world.ts';

test.each([
  [
    'a replica in the middle of a failover',
    (redis: Redis) => redis.replicaof('127.0.0.1', 1),
    (redis: Redis) => redis.replicaof('NO', 'ONE'),
  ],
  [
    'out of memory',
    (redis: Redis) => redis.config('SET', 'maxmemory', '1'),
    (redis: Redis) => redis.config('SET', 'maxmemory', '0'),
  ],
])(
  'answers that arrive while Redis is %s are settled once it is not, and nothing is sent again',
  async (_what, spoil, mend) => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-failover-'));
    const server = await startPrivateRedis({ dir });
    const sandbox = await createSandbox({ apiKey: API_KEY, latencyMs: 300 });
    const redis = new Redis(server.url);
    const queue = createQueue('sms', { connection: server.url });
    const reader = await Reader.open(server.url);
    const lines: string[] = [];
    const destinations = {
      sms: { baseUrl: sandbox.url, auth: { header: 'x-api-key', env: 'API_KEY' }, retry: { baseMs: 20 } },
    };
    const worker = await createWorker(
      { redis: { url: server.url }, destinations },
      { env: { API_KEY }, logTo: { write: (line: string) => void lines.push(line) } },
    );
    onTestFinished(async () => {
      await worker.stop();
      await queue.close();
      await reader.close();
      redis.disconnect();
      await sandbox.close();
      await server.stop();
      await rm(dir, { recursive: true });
    });

    const keys: Record<string, string> = {};
    for (const step of ['ok', '422', '503']) keys[step] = (await queue.add('send', planned(step))).data.idempotencyKey;
    await eventually(() => expect(Object.keys(sandbox.ledger().keys)).toHaveLength(3));
    await spoil(redis);
    await eventually(() => expect(lines.filter((line) => line.includes('request_id'))).toHaveLength(3));
    await expect(queue.add('send', planned())).rejects.toMatchObject({
      code: expect.stringMatching(/QUEUE_(UNAVAILABLE|REFUSED)/) as string,
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await mend(redis);

    const state = async (key = ''): Promise<string | undefined> => (await find(reader, key))[0]?.state;
    await eventually(async () =>
      expect([await state(keys.ok), await state(keys['422']), await state(keys['503'])]).toEqual([
        'delivered',
        'dead',
        'delivered',
      ]),
    );
    expect(['ok', '422', '503'].map((step) => sandbox.entry(keys[step] ?? '')?.sends.length)).toEqual([1, 1, 2]);
    expect(
      lines.filter((line) => line.includes('"level":40') && line.includes('queue error')).length,
    ).toBeLessThanOrEqual(20);
  },
);
