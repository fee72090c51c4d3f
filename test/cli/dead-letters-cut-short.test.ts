// Acts on dead letters that end before they are through: by a signal, or by their Redis. What was done is told, and so
// is what goes on with the rest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { countLetters } from '../../queue/dead-letters.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { eventually, type World } from '../support/world.ts';
import { actsOf, graveyard, WHY } from './graveyard.ts';
import { documents, runCli, startCli } from './run-cli.ts';

test('replays that were cut short go on with --before: what has died again meanwhile is not replayed once more', async () => {
  const { world, letters } = await graveyard(['401', '401', '401'], ['404']);
  const flags = ['dead-letters', 'replay', '--destination', world.name, '--yes', ...WHY, '-o', 'ndjson'];
  const args = [...flags, '--newer-than', '1h', '--rate', '0.001'];
  const cli = await startCli(args, { env: { REDIS_URL: redisUrl() } });
  await cli.says('"status":"replayed"');
  await world.startWorker();
  await eventually(async () => expect((await countLetters(world.reader, world.name)).count).toBe(2));
  cli.kill('SIGINT');
  const { code, stderr } = await cli.ended;
  expect(code).toBe(130);
  const [, before = '', since = ''] =
    /^waybill: STOPPED: SIGINT\. The same command with --before (\S+) and --since (\S+) for --newer-than goes on/m.exec(
      stderr,
    ) ?? [];
  const rest = await runCli([...flags, '--before', before, '--since', since]);
  expect(documents(rest.stdout)).toMatchObject([{ letter: letters[1], status: 'replayed' }]);
});

test('--rate paces, and Ctrl-C stops after the letter at hand: what was done is told, and the rest goes on later', async () => {
  const { world, letters } = await graveyard(['401'], ['401'], ['401']);
  const flags = ['dead-letters', 'discard', '--destination', world.name, '--yes', ...WHY, '-o', 'json'];
  const cli = await startCli([...flags, '--rate', '0.001'], { env: { REDIS_URL: redisUrl() } });
  await cli.says('"status":"discarded"');
  expect((await countLetters(world.reader, world.name, { state: 'discarded' })).count).toBe(1);
  cli.kill('SIGINT');
  const { code, stdout, stderr } = await cli.ended;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject([{ letter: letters[0], status: 'discarded' }]);
  expect(stderr).toMatch(/^discarded 1, not tried 2\nwaybill: STOPPED: SIGINT\. The same command goes on/m);
  expect(await actsOf(world)).toHaveLength(1);
  expect(JSON.parse((await runCli(flags)).stdout)).toHaveLength(2);
});

test('a Redis that goes away half way ends it with 3, with what was done and that it can be said again', async () => {
  const { world } = await graveyard(['401'], ['401'], ['401'], ['401']);
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  onTestFinished(() => proxy.close());
  const url = new URL(redisUrl());
  url.port = String(proxy.port);
  const args = ['dead-letters', 'discard', '--destination', world.name, '--yes', ...WHY, '-o', 'ndjson', '--rate', '2'];
  const cli = await startCli(args, { env: { REDIS_URL: url.href } });
  await cli.says('"status":"discarded"');
  await proxy.refuse();
  const { code, stdout, stderr } = await cli.ended;
  expect(code).toBe(3);
  const results = documents(stdout);
  expect(results.at(-1)).toMatchObject({ status: 'failed', error: { code: 'QUEUE_UNAVAILABLE' } });
  expect(results.at(-1)?.error).toMatchObject({ message: expect.stringContaining('may have been done all the same') });
  expect(stderr).toMatch(/^discarded \d, failed 1, not tried \d$/m);
  expect(stderr).toMatch(/^waybill: STOPPED: Redis is away\. The same command goes on where this one ended/m);
  expect(stderr).toMatch(/^waybill: QUEUE_UNAVAILABLE: /m);
});

/** A server of its own with all that a destination has. */
async function copied(world: World): Promise<{ redis: Redis; url: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-copied-'));
  const server = await startPrivateRedis({ dir });
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const { client } = world.reader;
  for (const key of await client.keys(`{waybill:${world.name}}:*`)) {
    const dump = await client.dumpBuffer(key);
    if (dump) await redis.restore(key, 0, dump);
  }
  await redis.hset('waybill:destinations', world.name, Date.now());
  return { redis, url: server.url };
}

test('a Redis that has no memory left refuses: nothing was done, and it is not told as one that is away', async () => {
  const { world, letters } = await graveyard(['401'], ['404']);
  const { redis, url } = await copied(world);
  await redis.config('SET', 'maxmemory', '1');
  const args = ['dead-letters', 'discard', '--destination', world.name, '--yes', ...WHY, '-o', 'ndjson'];
  const { code, stdout, stderr } = await runCli(args, { env: { REDIS_URL: url } });
  expect(code).toBe(3);
  const [failed, ...others] = documents(stdout);
  expect(others).toEqual([]);
  expect(failed).toMatchObject({ letter: letters[0], status: 'failed', error: { code: 'QUEUE_REFUSED' } });
  expect(stdout).not.toContain('may have been done');
  expect(stderr).toMatch(/^discarded 0, failed 1, not tried 1$/m);
  expect(stderr).toMatch(/^waybill: STOPPED: Redis refuses \(OOM .*\)\. The same command goes on/m);
  expect(stderr).toMatch(/^waybill: QUEUE_REFUSED: .* Its memory is full: /m);
  await redis.config('SET', 'maxmemory', '0');
  expect(documents((await runCli(args, { env: { REDIS_URL: url } })).stdout)).toHaveLength(2);
});
