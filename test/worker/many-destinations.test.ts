// What a worker of many destinations takes of Redis: a connection for each one's wait, and one for everything else.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createWorker } from '../../worker/index.ts';
import { eventually } from '../support/world.ts';

const MANY = 200;

test('a worker has one connection for each destination that it serves, and at most two more', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-many-'));
  // Alone on its server: every connection but the test's own is the worker's.
  const server = await startPrivateRedis({ dir });
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  const names = Array.from({ length: MANY }, (_, i) => `d${i}`);
  const config = {
    redis: { url: server.url },
    destinations: Object.fromEntries(names.map((name) => [name, { baseUrl: 'http://127.0.0.1:9' }])),
  };
  const connectionsOf = async (destinations?: string[]): Promise<number> => {
    const worker = await createWorker(config, {
      logTo: { write: () => {} },
      env: {},
      ...(destinations && { destinations }),
    });
    onTestFinished(async () => void (await worker.stop(AbortSignal.timeout(2000))));
    // Every one of them waits for writes by now.
    await eventually(async () => {
      const clients = String(await redis.client('LIST')).split('\n');
      expect(clients.filter((line) => line.includes('cmd=bzpopmin'))).toHaveLength(worker.destinations.length);
    }, 20_000);
    const connections =
      String(await redis.client('LIST'))
        .trim()
        .split('\n').length - 1;
    await worker.stop();
    return connections;
  };
  expect(await connectionsOf()).toBeLessThanOrEqual(MANY + 2);
  expect(await connectionsOf(['d7', 'd42'])).toBeLessThanOrEqual(2 + 2);
});
