import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../dev/testing.ts';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { createQueue } from '../../producer/index.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { createWorld, planned } from '../support/world.ts';
import { documents, emptyFolder, runCli } from './run-cli.ts';

async function ownRedis(...args: string[]): Promise<PrivateRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-doctor-'));
  const server = await startPrivateRedis({ dir, args });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  return server;
}

async function folderWith(config: object): Promise<string> {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify(config));
  return cwd;
}

/** What it found, by check. */
const byCheck = (stdout: string): Record<string, Record<string, unknown>> =>
  Object.fromEntries(documents(stdout).map((finding) => [String(finding.check), finding]));

test('a sound setup: every check is a line, the exit code is 0, nothing is written and no write is sent', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const sandbox = await createSandbox({ apiKey: 'sandbox-key' });
  onTestFinished(() => sandbox.close());
  const auth = { header: 'x-api-key', env: 'SMS_KEY' };
  const cwd = await folderWith({ destinations: { sms: { baseUrl: sandbox.url, auth } } });
  const env = { REDIS_URL: server.url, SMS_KEY: 's3cret-of-the-test' };
  const { code, stdout, stderr } = await runCli(['doctor'], { cwd, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '0 problem(s), 0 warning(s), 16 in order\n' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.slice(9, 20).trimEnd())).toEqual([
    'redis',
    'hash slots',
    'round trip',
    'version',
    'eviction',
    'append-only',
    'disk',
    'memory',
    'clock',
    'replication',
    'scripts',
    'use',
    'settings',
    'settings',
    'credential',
    'address',
  ]);
  expect(stdout).not.toContain('s3cret');
  expect(sandbox.ledger()).toMatchObject({ keys: {}, anonymous: { sends: [] } });
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  expect(await admin.dbsize()).toBe(0);
  expect(await admin.info('commandstats')).not.toMatch(/cmdstat_(?:set|hset|hsetnx|zadd|xadd|del):/);
});

test('problems end with 1, each with what was found and what to do; a typo shows as writes that nobody serves', async () => {
  const server = await ownRedis('--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no');
  const queue = createQueue('smms', { connection: server.url });
  onTestFinished(() => queue.close());
  await queue.add('send', planned());
  const auth = { header: 'x-api-key', env: 'SMS_KEY' };
  const cwd = await folderWith({ destinations: { sms: { baseUrl: 'http://127.0.0.1:1', auth } } });
  const { code, stdout, stderr } = await runCli(['doctor'], { cwd, env: { REDIS_URL: server.url } });
  expect(code).toBe(1);
  expect(stderr).toBe('2 problem(s), 3 warning(s), 12 in order\n');
  expect(stdout).toMatch(/^problem {2}eviction {5}127\.0\.0\.1:\d+: maxmemory-policy allkeys-lru evicts keys/m);
  expect(stdout).toMatch(/^ {22}→ Set maxmemory-policy noeviction\.$/m);
  expect(stdout).toMatch(/^warning {2}append-only {2}\S+ no append-only file: a restart or a crash loses every write/m);
  expect(stdout).toMatch(/^warning {2}use {10}smms: 1 write\(s\) wait; no worker serves it, and it is not in this/m);
  expect(stdout).toMatch(/^warning {2}credential {3}sms: SMS_KEY is not set, nor SMS_KEY_FILE$/m);
  expect(stdout).toMatch(/^problem {2}address {6}sms: 127\.0\.0\.1:1: it takes no connection \(ECONNREFUSED\)$/m);
});

test('Redis away is a finding, the API is looked at all the same, and the exit code is 3', async () => {
  const cwd = await folderWith({ destinations: { sms: { baseUrl: 'http://127.0.0.1:1' } } });
  const env = { REDIS_URL: 'redis://:hunter22@127.0.0.1:1' };
  const { code, stdout } = await runCli(['doctor', '-o', 'json'], { cwd, env });
  expect(code).toBe(3);
  expect(stdout).not.toContain('hunter22');
  const findings = JSON.parse(stdout) as Record<string, unknown>[];
  expect(findings[0]).toEqual({
    check: 'redis',
    subject: '127.0.0.1:1',
    level: 'problem',
    found: expect.stringMatching(/^QUEUE_UNAVAILABLE: Redis at 127\.0\.0\.1:1 cannot be reached/) as string,
  });
  expect(findings.at(-1)).toMatchObject({ check: 'address', subject: 'sms', level: 'problem' });
});

test('one destination is looked at alone; one that is nowhere is told', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { redis: _, ...config } = world.config;
  const cwd = await folderWith(config);
  const other = { ...config.destinations, other: { baseUrl: 'http://127.0.0.1:1' } };
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify({ ...config, destinations: other }));
  const args = ['doctor', '-o', 'ndjson', '--destination'];
  const { stdout } = await runCli([...args, world.name], { cwd, env: { API_KEY: 'sandbox-key' } });
  const found = byCheck(stdout);
  expect(found.use).toMatchObject({ subject: world.name, level: 'ok', found: '1 worker(s), 0 write(s) wait' });
  expect(found.address).toMatchObject({ subject: world.name, level: 'ok' });
  expect(found.credential).toMatchObject({ level: 'ok', found: 'set' });
  expect(stdout).not.toContain('other');
  const nowhere = await runCli(['doctor', '-o', 'json', '--destination', 'never-used'], { cwd });
  expect(nowhere.stderr).toMatch(/^waybill: NOT_FOUND: no destination "never-used"; there are /);
  expect(nowhere).toMatchObject({ code: 1, stdout: '' });
});

test('writes that wait before their worker is started are a warning, scheduled ones none: doctor can be asked first', async () => {
  const world = await createWorld();
  const { redis: _, ...config } = world.config;
  const cwd = await folderWith(config);
  const env = { API_KEY: 'sandbox-key' };
  const args = ['doctor', '-o', 'ndjson', '--destination', world.name];
  await world.queue.add('send', planned(), { delay: 3_600_000 });
  expect(byCheck((await runCli(args, { cwd, env })).stdout).use).toMatchObject({
    level: 'ok',
    found: '0 worker(s), 0 write(s) wait, 1 for a time to come',
  });
  await world.queue.add('send', planned(), { delay: 1 });
  await world.queue.add('send', planned());
  const { code, stdout } = await runCli(args, { cwd, env });
  expect(byCheck(stdout).use).toMatchObject({
    level: 'warning',
    found: '2 write(s) wait, 1 for a time to come; no worker serves it',
  });
  expect(code).toBe(0);
});

test('a credential that no worker would start with is told, and never shown', async () => {
  const auth = (env: string) => ({ baseUrl: 'http://127.0.0.1:1', auth: { header: 'x-api-key', env } });
  const cwd = await folderWith({
    destinations: { a: auth('A_KEY'), b: auth('B_KEY'), c: auth('C_KEY'), d: auth('D_KEY'), e: auth('E_KEY') },
  });
  await writeFile(join(cwd, 'two-lines'), 'hunter22\nhunter33\n');
  await writeFile(join(cwd, 'spaced'), ' hunter44\n');
  await writeFile(join(cwd, 'good'), 'hunter55\n');
  const env = {
    A_KEY: 'hunt5',
    B_KEY: '',
    C_KEY_FILE: join(cwd, 'two-lines'),
    D_KEY_FILE: join(cwd, 'spaced'),
    E_KEY_FILE: join(cwd, 'good'),
  };
  const { stdout } = await runCli(['doctor', '-o', 'ndjson'], { cwd, env });
  const found = documents(stdout).filter(({ check }) => check === 'credential');
  expect(found.map(({ level, found: said }) => [level, said])).toEqual([
    ['warning', 'the value of A_KEY must have at least 6 characters'],
    ['warning', 'the value of B_KEY is empty'],
    ['warning', "the value of C_KEY cannot be a header's value"],
    ['warning', "the value of D_KEY cannot be a header's value"],
    ['ok', 'set'],
  ]);
  expect(stdout).not.toContain('hunt');
});

test('without a configuration it says that no API was looked at', async () => {
  const cwd = await emptyFolder();
  const found = async () => byCheck((await runCli(['doctor', '-o', 'ndjson'], { cwd })).stdout).config;
  expect(await found()).toMatchObject({
    level: 'warning',
    found: `no configuration in ${cwd}: no destination was looked at`,
  });
  await writeFile(join(cwd, 'waybill.config.json'), '{}');
  expect(await found()).toMatchObject({
    found: 'waybill.config.json has no destinations: none was looked at',
  });
});

test('what a user may not ask is told as refused, with what to allow, and ends nothing', async () => {
  const server = await ownRedis('--appendfsync', 'always');
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  await admin.acl('SETUSER', 'few', 'on', '>pw-of-few', '~*', '+@all', '-@scripting', '-config');
  const few = { REDIS_URL: server.url.replace('redis://', 'redis://few:pw-of-few@') };
  const { code, stdout } = await runCli(['doctor', '-o', 'ndjson'], { env: few });
  expect(code).toBe(1);
  const found = byCheck(stdout);
  expect(found.scripts).toMatchObject({
    level: 'problem',
    found: expect.stringMatching(/^refused: NOPERM .*eval/),
    advice: 'Allow this user EVAL, EVALSHA and SCRIPT LOAD.',
  });
  expect(found['append-only']).toMatchObject({ level: 'ok', found: expect.stringContaining('is not known') });
  expect(found['hash slots']).toMatchObject({ level: 'ok' });
});

test('of a Cluster every primary is looked at, and each destination is found in its slot', async () => {
  const cluster = await startCluster({ primaries: 2 });
  onTestFinished(() => cluster.stop());
  const [first] = cluster.primaries;
  const cwd = await folderWith({ destinations: { sms: { baseUrl: 'http://127.0.0.1:1' } } });
  const url = `redis+cluster://${cluster.hosts}`;
  const { stdout } = await runCli(['doctor', '-o', 'ndjson'], { cwd, env: { REDIS_URL: url } });
  const versions = documents(stdout).filter(({ check }) => check === 'version');
  expect(versions.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(cluster.primaries.map(({ port }) => `127.0.0.1:${port}`)),
  );
  const found = byCheck(stdout);
  expect(found['hash slots']).toMatchObject({ level: 'ok', found: 'all 16384 are served, by 2 primaries' });
  const owner = cluster.primaries[await cluster.primaryOf('{waybill:sms}')];
  expect(found['hash slot']).toMatchObject({
    subject: 'sms',
    level: 'ok',
    found: expect.stringMatching(new RegExp(`^\\d+, on 127\\.0\\.0\\.1:${owner?.port}$`)),
  });

  const alone = await runCli(['doctor', '-o', 'ndjson'], { env: { REDIS_URL: first?.url ?? '' } });
  expect(alone.code).toBe(1);
  expect(byCheck(alone.stdout)['hash slots']).toMatchObject({
    level: 'problem',
    found: 'it is a node of a Redis Cluster, and is spoken to as if it were alone',
    advice: 'Give the address as redis+cluster://host:port,host:port.',
  });
});
