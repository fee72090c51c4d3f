// The programs that run until they are told to stop: worker and sandbox.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { redisUrl } from '../support/redis.ts';
import { API_KEY, createWorld, eventually, planned, type World } from '../support/world.ts';
import { type Cli, documents, emptyFolder, startCli } from './run-cli.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const PAST_SAME_REQUEST_MS = 700;

async function folderOf({ config: { redis: _, ...config } }: World): Promise<string> {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify(config));
  return cwd;
}

async function startWorker(world: World, args: string[] = []): Promise<Cli> {
  const cli = await startCli(['worker', ...args], {
    cwd: await folderOf(world),
    env: { REDIS_URL: redisUrl(), API_KEY },
  });
  await cli.says('worker started');
  return cli;
}

async function inFlight(world: World, ...plan: string[]): Promise<string> {
  const { data } = await world.queue.add('send', planned(...plan));
  await eventually(() => expect(world.sandbox.entry(data.idempotencyKey)?.sends).toHaveLength(1));
  return data.idempotencyKey;
}

test('SIGTERM lets the worker finish what it is sending: exit 0, and nothing is sent twice', async () => {
  const world = await createWorld();
  const cli = await startWorker(world);
  const key = await inFlight(world, 'slow:500');
  cli.kill('SIGTERM');
  const { code, stdout, stderr } = await cli.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(documents(stdout)).toContainEqual(expect.objectContaining({ idempotency_key: key, msg: 'delivered' }));
  await world.until(key, 'delivered');
  await assertAppliedOnce(world.sandbox, key);
  expect(world.sandbox.entry(key)?.sends).toHaveLength(1);
});

test('a signal that is passed on twice is one; a second one later cuts attempts off and ends with 130', async () => {
  const world = await createWorld({ destination: { timeoutMs: 20_000 } });
  const cli = await startWorker(world);
  const key = await inFlight(world, 'hang');
  cli.kill('SIGINT');
  await sleep(20);
  cli.kill('SIGINT');
  await sleep(PAST_SAME_REQUEST_MS);
  expect(cli.stdout()).not.toContain('worker stopped');
  cli.kill('SIGINT');
  expect(await cli.ended).toMatchObject({
    code: 130,
    stderr: expect.stringContaining('attempts in flight were cut off'),
  });
  expect((await world.until(key, ['waiting', 'postponed', 'scheduled'])).journal.attempts).toEqual([]);
});

test('a worker whose parent is gone stops by itself', async () => {
  const world = await createWorld();
  const child = fork(MAIN, ['worker'], {
    cwd: await folderOf(world),
    env: { ...process.env, REDIS_URL: redisUrl(), API_KEY },
    silent: true,
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'message')).toContain('worker started');
  child.disconnect();
  expect(await ended).toEqual([0, null]);
});

test('--destinations serves those alone, and names one that is not configured', async () => {
  const world = await createWorld();
  const cli = await startWorker(world, ['--destinations', world.name, '--log-level', 'info']);
  expect(documents(cli.stdout())).toContainEqual(expect.objectContaining({ destinations: [world.name] }));
  const refused = await startCli(['worker', '--destinations', 'other'], {
    cwd: await folderOf(world),
    env: { REDIS_URL: redisUrl(), API_KEY },
  });
  expect(await refused.ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(`destinations.other: is not configured; configured are ${world.name}`),
  });
});

test('a credential that is not set is named, and the worker does not start', async () => {
  const world = await createWorld();
  const cli = await startCli(['worker'], { cwd: await folderOf(world), env: { REDIS_URL: redisUrl() } });
  expect(await cli.ended).toMatchObject({ code: 2, stderr: expect.stringContaining('API_KEY is not set') });
});

test('the sandbox prints its URL as data, does what its faults say, and stops on SIGTERM', async () => {
  const cli = await startCli(['sandbox', '--fault', '429:retry-after=2=1', '--api-key', 'given-key']);
  await cli.says('_sandbox/ledger');
  const [url = ''] = cli.stdout().split('\n');
  const answer = await fetch(`${url}/v1/stores`, {
    method: 'POST',
    headers: { 'x-api-key': 'given-key', 'idempotency-key': 'k' },
    body: '{"name":"x"}',
  });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '2']);
  expect(await (await fetch(`${url}/_sandbox/ledger?key=k`)).json()).toMatchObject({ applications: 0 });
  cli.kill('SIGTERM');
  const { code, stderr } = await cli.ended;
  expect(code).toBe(0);
  expect(stderr).not.toContain('given-key');
});

test('a port that is taken ends the sandbox with one clear message', async () => {
  const first = await startCli(['sandbox']);
  await first.says('http://');
  const port = new URL(first.stdout().trim()).port;
  const { code, stderr } = await (await startCli(['sandbox', '--port', port])).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^waybill: FAILED: The sandbox cannot listen on 127\\.0\\.0\\.1, port ${port}: .*EADDRINUSE`),
  );
});
