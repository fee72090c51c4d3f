// Where a command takes its Redis from: the file, the environment, the flag, each a whole address.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { givenRedis, loadConfig } from '../../cli/settings.ts';
import { emptyFolder } from '../cli/run-cli.ts';

async function folderWith(redis: object): Promise<string> {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify({ redis }));
  return cwd;
}

test('the file names the Cluster, the environment gives the password, by itself or by a file', async () => {
  const url = 'rediss+cluster://worker@a,b';
  const cwd = await folderWith({ url, tls: { caFile: 'ca.pem' } });
  await writeFile(join(cwd, 'secret'), 'p@ss,word\n');
  const redis = { url, password: 'p@ss,word', tls: { caFile: 'ca.pem' } };
  expect((await loadConfig({ cwd, env: { REDIS_PASSWORD: 'p@ss,word' } }, {})).redis).toEqual(redis);
  expect((await loadConfig({ cwd, env: { REDIS_PASSWORD_FILE: join(cwd, 'secret') } }, {})).redis).toEqual(redis);
});

test('the flag goes over the environment, that over the file; passwords stand beside whichever it is', async () => {
  const cwd = await folderWith({ url: 'redis://file' });
  const env = { REDIS_URL: 'redis+sentinel://env/main', REDIS_PASSWORD: 'secret', REDIS_SENTINEL_PASSWORD: 'other' };
  const passwords = { password: 'secret', sentinelPassword: 'other' };
  expect((await loadConfig({ cwd, env }, {})).redis).toEqual({ url: env.REDIS_URL, ...passwords });
  const redis = 'redis+sentinel://flag/main';
  expect((await loadConfig({ cwd, env }, { redis })).redis).toEqual({ url: redis, ...passwords });
  expect(givenRedis({ env }, { redis })).toEqual({ settings: { url: redis, ...passwords }, from: '--redis' });
  expect(givenRedis({ env }, {})?.from).toBe('REDIS_URL');
  // A password alone names no Redis.
  expect(givenRedis({ env: { REDIS_PASSWORD: 'secret' } }, {})).toBeUndefined();
});

test('a file of a password that cannot be read is named, with the reason', async () => {
  const env = { REDIS_PASSWORD_FILE: '/nowhere/secret', REDIS_SENTINEL_PASSWORD_FILE: '/nowhere/other' };
  await expect(loadConfig({ cwd: await emptyFolder(), env }, {})).rejects.toThrow(
    '2 wrong value(s) in the environment:\n  REDIS_PASSWORD_FILE: cannot be read (ENOENT)\n  REDIS_SENTINEL_PASSWORD_FILE: cannot be read (ENOENT)',
  );
});

test('how many replicas are waited for: the file, and over it the environment', async () => {
  const cwd = await folderWith({ url: 'redis://file', waitForReplicas: { count: 1 } });
  const redis = async (env: Record<string, string>) => (await loadConfig({ cwd, env }, {})).redis;
  expect((await redis({})).waitForReplicas).toEqual({ count: 1, timeoutMs: 1000 });
  const env = { REDIS_WAIT_REPLICAS: '2', REDIS_WAIT_TIMEOUT_MS: '300' };
  expect(await redis(env)).toEqual({ url: 'redis://file', waitForReplicas: { count: 2, timeoutMs: 300 } });
  await expect(redis({ REDIS_WAIT_REPLICAS: 'all' })).rejects.toThrow('REDIS_WAIT_REPLICAS: must be a whole number');
  await expect(redis({ REDIS_WAIT_TIMEOUT_MS: '5' })).rejects.toThrow('(from REDIS_WAIT_TIMEOUT_MS)');
});

test('a time to wait for replicas without how many is refused by its own name; the file is not blamed', async () => {
  const load = async (env: Record<string, string>) =>
    loadConfig({ cwd: await folderWith({ url: 'redis://file' }), env }, {});
  await expect(load({ REDIS_WAIT_TIMEOUT_MS: '300' })).rejects.toThrow(
    /^1 wrong value\(s\) in the environment:\n {2}REDIS_WAIT_TIMEOUT_MS: needs REDIS_WAIT_REPLICAS, .*$/,
  );
  await expect(load({ REDIS_WAIT_TIMEOUT_MS: '300', REDIS_WAIT_REPLICAS: 'all' })).rejects.toThrow(
    /^1 wrong value\(s\) in the environment:\n {2}REDIS_WAIT_REPLICAS: must be a whole number.*$/,
  );
});
