// The demo, from its first line to its last process, in an empty folder and without REDIS_URL.
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../../dev/redis/running.ts';
import { createWorker } from '../../worker/index.ts';
import { cleanUp, redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';
import { type Cli, documents, emptyFolder, startCli } from './run-cli.ts';

const STORY_LIMIT_MS = 40_000;
const TOLD_WITHIN_MS = 3000;
/** With some room for a slow machine. */
const WITHOUT_REDIS_MS = 8000;
/** Past the first look for other workers. */
const WAITING_MS = 1000;

/** dev itself, its worker and its Redis. */
async function processesOf(dev: Cli, cwd: string): Promise<number[]> {
  const worker = Number(/worker +process (\d+)/.exec(dev.stderr())?.[1]);
  const { pid: redis }: { pid: number } = JSON.parse(await readFile(join(cwd, '.waybill/redis/redis.json'), 'utf8'));
  const pids = [dev.pid, worker, redis];
  expect(pids.every((pid) => pid > 0 && isRunning(pid))).toBe(true);
  return pids;
}

/** Without REDIS_URL, as a person types it. */
async function run(cwd: string, ...args: string[]): Promise<string> {
  const { code, stdout } = await (await startCli(args, { cwd })).ended;
  expect(code).toBe(0);
  return stdout;
}

async function statusOf(cwd: string): Promise<Record<string, unknown> | undefined> {
  return documents(await run(cwd, 'status', '-o', 'ndjson'))[0];
}

async function expectGone(pids: readonly number[], limitMs = 10_000): Promise<void> {
  await eventually(() => expect(pids.filter(isRunning)).toEqual([]), limitMs);
}

test(
  'a dozen writes are narrated to their ends, the commands it prints work, Ctrl-C leaves no process, and the data is kept',
  { timeout: 90_000 },
  async () => {
    const cwd = await emptyFolder();
    const dev = await startCli(['dev'], { cwd });
    await dev.says('Everything works on until Ctrl-C.', STORY_LIMIT_MS);
    const told = dev.stderr();
    expect(dev.stdout()).toBe('');
    expect(told).toContain('12 writes: 8 delivered, 4 dead.');
    expect(told).toMatch(/applied-once +8 +each applied exactly once/);
    expect(told).toMatch(/not-applied +3 +none applied/);
    expect(told).toMatch(/in-doubt +1 /);
    for (const event of [
      /s {2}#2 .* delivered {2}201 {2}req_/,
      /retry +503 SERVICE_UNAVAILABLE, again in [\d.]+ s = base 1000 \+ jitter \d+ {2}req_/,
      /again in 2 s = Retry-After; base 1000 \+ jitter \d+ was shorter/,
      /attempt 2: 201, the stored answer: it had been applied/,
      /dead +400 VALIDATION_ERROR: phone_number must be a valid E\.164 number\./,
      /dead +attempt 5: 503/,
      /duplicate +added once more: answered, not sent again/,
      /refused +the same key with another payload: IDEMPOTENCY_CONFLICT/,
    ]) {
      expect(told).toMatch(event);
    }
    const pids = await processesOf(dev, cwd);

    const key = /-- find (\S+)$/m.exec(told)?.[1] ?? '';
    expect(told).toMatch(
      /^ {2}npm run -s waybill -- find \S+\n {2}npm run -s waybill -- dead-letters list\n {2}npm run -s waybill -- status$/m,
    );
    expect((await run(cwd, 'find', key)).match(/again in .* = base \d+ \+ jitter \d+/g)).toHaveLength(4);
    expect((await run(cwd, 'dead-letters', 'list')).trimEnd().split('\n')).toHaveLength(5);
    expect(await statusOf(cwd)).toMatchObject({ destination: 'sms', workers: 1, delivered: 8, dead: 4 });

    const second = await startCli(['dev'], { cwd });
    expect(await second.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('runs the demo in this folder already'),
    });

    dev.kill('SIGINT');
    dev.kill('SIGINT'); // npm passes the terminal's on
    expect((await dev.ended).code).toBe(0);
    await expectGone(pids);

    const again = await startCli(['dev'], { cwd });
    await again.says('duplicate', STORY_LIMIT_MS);
    const newPids = await processesOf(again, cwd);
    expect((await statusOf(cwd))?.delivered).toBeGreaterThan(8);
    again.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
    await expectGone(newPids);
  },
);

test('a killed demo takes its worker with it, and the next one takes its Redis over', { timeout: 60_000 }, async () => {
  const cwd = await emptyFolder();
  const dev = await startCli(['dev'], { cwd });
  await dev.says('#3');
  const [, worker = 0, redis] = await processesOf(dev, cwd);
  dev.kill('SIGKILL');
  await expectGone([worker]);
  const next = await startCli(['dev'], { cwd });
  await next.says('#3');
  expect(next.stderr()).toContain('left behind');
  const pids = await processesOf(next, cwd);
  expect(pids[2]).toBe(redis);
  next.kill('SIGHUP');
  expect((await next.ended).code).toBe(0);
  await expectGone(pids);
});

test('a worker that dies ends the demo with a message, and nothing is left', { timeout: 60_000 }, async () => {
  const cwd = await emptyFolder();
  const dev = await startCli(['dev'], { cwd });
  await dev.says('#3');
  const pids = await processesOf(dev, cwd);
  process.kill(pids[1] ?? 0, 'SIGKILL');
  expect(await dev.ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('waybill: DEMO_STOPPED: the worker ended (SIGKILL); see .waybill/worker.log'),
  });
  await expectGone(pids);
});

test('a Redis that dies is told at once, and ends the demo with nothing left', { timeout: 60_000 }, async () => {
  const cwd = await emptyFolder();
  const dev = await startCli(['dev'], { cwd });
  await dev.says('#3');
  const pids = await processesOf(dev, cwd);
  const killedAt = performance.now();
  process.kill(pids[2] ?? 0, 'SIGKILL');
  await dev.says('redis-server ended; see .waybill/redis/redis.log; taking down the rest', TOLD_WITHIN_MS);
  expect((await dev.ended).code).toBe(1);
  expect(performance.now() - killedAt).toBeLessThan(WITHOUT_REDIS_MS);
  await expectGone(pids);
});

test('a Redis that hangs does not keep Ctrl-C waiting', { timeout: 60_000 }, async () => {
  const cwd = await emptyFolder();
  const dev = await startCli(['dev'], { cwd });
  await dev.says('#3');
  const pids = await processesOf(dev, cwd);
  process.kill(pids[2] ?? 0, 'SIGSTOP');
  const stoppedAt = performance.now();
  dev.kill('SIGINT');
  expect((await dev.ended).code).toBe(0);
  expect(performance.now() - stoppedAt).toBeLessThan(WITHOUT_REDIS_MS);
  await expectGone(pids);
});

test('Ctrl-C is heard while the Redis package is fetched', { timeout: 60_000 }, async () => {
  const cwd = await emptyFolder();
  for (const name of ['apt-get', 'apt-config', 'dpkg-deb'])
    await writeFile(join(cwd, name), '#!/bin/sh\nexec /bin/sleep 60\n', { mode: 0o755 });
  const dev = await startCli(['dev'], { cwd, env: { PATH: cwd, XDG_CACHE_HOME: join(cwd, 'cache') } });
  await dev.says('fetching the distribution');
  dev.kill('SIGINT');
  await eventually(() => expect(isRunning(dev.pid)).toBe(false), TOLD_WITHIN_MS);
  expect((await dev.ended).code).toBe(0);
});

test('Ctrl-C is heard while another worker of the destination is waited for', { timeout: 60_000 }, async () => {
  onTestFinished(() => cleanUp(['sms-demo']));
  const worker = await createWorker(
    {
      redis: { url: redisUrl() },
      log: { level: 'silent' },
      destinations: { 'sms-demo': { baseUrl: 'http://127.0.0.1:1' } },
    },
    { env: {} },
  );
  onTestFinished(async () => void (await worker.stop()));
  const dev = await startCli(['dev'], { cwd: await emptyFolder(), env: { REDIS_URL: redisUrl() } });
  await dev.says('redis    REDIS_URL');
  await sleep(WAITING_MS);
  dev.kill('SIGINT');
  await eventually(() => expect(isRunning(dev.pid)).toBe(false), TOLD_WITHIN_MS);
  const { code, stderr } = await dev.ended;
  expect(code).toBe(0);
  expect(stderr).not.toContain('sandbox ');
});

test('with REDIS_URL it uses that, under a name of its own, and starts no Redis', { timeout: 60_000 }, async () => {
  onTestFinished(() => cleanUp(['sms-demo']));
  const cwd = await emptyFolder();
  // It writes its own: the folder's is none of its business.
  await writeFile(join(cwd, 'waybill.config.json'), '{ broken');
  const dev = await startCli(['dev'], { cwd, env: { REDIS_URL: redisUrl() } });
  await dev.says('Everything works on until Ctrl-C.', STORY_LIMIT_MS);
  const { host } = new URL(redisUrl());
  expect(dev.stderr()).toContain(`redis    REDIS_URL, ${host}\n`);
  expect(dev.stderr()).toContain('A dozen writes to the destination sms-demo');
  expect(dev.stderr()).toContain('This is the Redis of REDIS_URL: it must be given there too.');
  dev.kill('SIGINT');
  expect((await dev.ended).code).toBe(0);
  await expect(access(join(cwd, '.waybill/redis/redis.json'))).rejects.toThrow();
  expect((await stat(join(cwd, '.waybill'))).isDirectory()).toBe(true);
});
