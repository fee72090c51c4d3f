// Exact counts are free of noise: what one delivered write costs Redis.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createSandbox } from '../../dev/testing.ts';
import { createQueue } from '../../producer/index.ts';
import { createWorker } from '../../worker/index.ts';
import { watchCommands } from '../support/monitor.ts';
import { eventually, planned } from '../support/world.ts';

/** Enough that the first fetch of each of the 50 slots does not count. */
const WRITES = 3000;

test('delivered writes leave several by one script, and cost no other round trip', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-stats-'));
  // Alone on its server: commandstats counts everybody's commands.
  const server = await startPrivateRedis({ dir });
  const sandbox = await createSandbox();
  const redis = new Redis(server.url);
  const queue = createQueue('sms', { connection: server.url });
  onTestFinished(async () => {
    await queue.close();
    redis.disconnect();
    await sandbox.close();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  const answers = await queue.addBulk(
    Array.from({ length: WRITES }, () => ({ name: 'send' as const, data: planned() })),
  );
  expect(answers.every(({ status }) => status === 'queued')).toBe(true);

  const destinations = { sms: { baseUrl: sandbox.url, auth: { header: 'x-api-key', env: 'KEY' } } };
  const lines: string[] = [];
  // Counting begins once the worker is up: what it asks at start-up is not per write.
  await queue.pause();
  const worker = await createWorker(
    { redis: { url: server.url }, destinations },
    { env: { KEY: 'sandbox-key' }, logTo: { write: (line: string) => void lines.push(line) } },
  );
  const delivered = (): number => lines.filter((line) => line.includes('"msg":"delivered"')).length;
  await eventually(async () => expect(await queue.getWorkersCount()).toBe(1));
  const sent = new Map<string, number>();
  const monitor = await watchCommands(server.url, (command) => sent.set(command, (sent.get(command) ?? 0) + 1));
  await redis.config('RESETSTAT');
  await queue.resume();
  await eventually(() => expect(delivered()).toBe(WRITES), 25_000);
  const info = await redis.info('commandstats');
  monitor.stop();
  await worker.stop();

  const scripts = ['evalsha', 'eval'].reduce(
    (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0),
    0,
  );
  expect(scripts).toBeLessThanOrEqual(WRITES / 2);
  // Blocking reads while the queue was empty are the only other command of a worker; the last three are this test's own.
  const others = [...sent.keys()].filter(
    (command) => !['evalsha', 'eval', 'bzpopmin', 'config', 'info', 'monitor'].includes(command),
  );
  expect(others).toEqual([]);
  expect(sent.get('bzpopmin') ?? 0).toBeLessThanOrEqual(0.01 * WRITES);
});
