// TLS with an own authority, a client's certificate, and every kind of Redis behind it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { createQueue } from '../../producer/index.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { freePort } from '../support/redis-ports.ts';
import { PRIMARY_NAME, SENTINEL_PASSWORD, startSentinels } from '../support/redis-sentinel.ts';
import { CA, CLIENT, orSkip, tlsArgs } from '../support/redis-tls.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { planned } from '../support/world.ts';

const tls = { ...CA, ...CLIENT };

async function startServer(context: TestContext, args: string[] = []): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-tls-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const port = await freePort();
  const server = await orSkip(context, () => startPrivateRedis({ dir, args: [...tlsArgs(port), ...args] }));
  onTestFinished(() => server.stop());
  return port;
}

async function goesTheWholePath(redis: RedisSettings): Promise<void> {
  const world = await createRedisWorld(redis, [freshDestination(), freshDestination()]);
  await world.startWorker();
  const { keys } = await world.keepAdding(5);
  await world.untilAppliedOnce(keys);
}

const refusal = async (connection: RedisSettings): Promise<Error> => {
  const queue = createQueue(freshDestination(), { connection });
  onTestFinished(() => queue.close());
  return queue.add('send', planned()).then(
    () => new Error('was stored'),
    (error: Error) => error,
  );
};

test('one server: the authority and the client’s certificate are those of redis.tls', async (context) => {
  const port = await startServer(context);
  await goesTheWholePath({ url: `rediss://localhost:${port}`, tls });
  await goesTheWholePath({ url: `rediss://127.0.0.1:${port}`, tls: { ...tls, servername: 'redis.test' } });
});

test('a certificate that cannot be trusted is refused, and the reason is told within 2 s', async (context) => {
  const port = await startServer(context);
  const url = `rediss://127.0.0.1:${port}`;
  const refusals = await Promise.all([
    refusal({ url }),
    refusal({ url, tls: { ...tls, servername: 'other.test' } }),
    refusal({ url, tls: CA }),
    refusal({ url: url.replace('rediss:', 'redis:') }),
  ]);
  expect(refusals.map((error) => 'code' in error && error.code)).toEqual(refusals.map(() => 'QUEUE_UNAVAILABLE'));
  expect(refusals[0]?.message).toMatch(/SELF_SIGNED_CERT|UNABLE_TO_/);
  expect(refusals[1]?.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  // The server's reason and the end of the connection race each other.
  expect(refusals[2]?.message).toMatch(/ERR_SSL_\w*CERTIFICATE_REQUIRED|ECONNRESET|EPIPE/);
});

test('a certificate that cannot be read is told with its name, at once', () =>
  expect(() =>
    createQueue('sms', { connection: { url: 'rediss://localhost', tls: { caFile: '/nowhere/ca.crt' } } }),
  ).toThrow('redis.tls.caFile: /nowhere/ca.crt cannot be read (ENOENT)'));

test('a Cluster: its nodes are met by TLS, under the names that they tell', async (context) => {
  const cluster = await orSkip(context, () => startCluster({ primaries: 1, tls: true }));
  onTestFinished(() => cluster.stop());
  await goesTheWholePath({ url: `rediss+cluster://${cluster.hosts.replace('127.0.0.1', 'localhost')}`, tls });
});

test('Sentinels: they and the primary are met by TLS', async (context) => {
  const setup = await orSkip(context, () => startSentinels({ sentinels: 1, tls: true }));
  onTestFinished(() => setup.stop());
  await goesTheWholePath({
    url: `rediss+sentinel://${setup.sentinels}/${PRIMARY_NAME}`,
    sentinelPassword: SENTINEL_PASSWORD,
    tls,
  });
});
