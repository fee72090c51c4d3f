// The demo, from its first line to its last process, in an empty folder and without REDIS_URL.
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../../dev/redis/running.ts';
import { cleanUp, redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';
import { type Cli, documents, emptyFolder, startCli } from './run-cli.ts';

const STORY_LIMIT_MS = 40_000;

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

test('with REDIS_URL it uses that, under a name of its own, and starts no Redis', { timeout: 60_000 }, async () => {
  onTestFinished(() => cleanUp(['sms-demo']));
  const cwd = await emptyFolder();
  const dev = await startCli(['dev'], { cwd, env: { REDIS_URL: redisUrl() } });
  await dev.says('#3');
  expect(dev.stderr()).toContain('redis    REDIS_URL');
  expect(dev.stderr()).toContain('A dozen writes to the destination sms-demo');
  dev.kill('SIGINT');
  expect((await dev.ended).code).toBe(0);
  await expect(access(join(cwd, '.waybill/redis/redis.json'))).rejects.toThrow();
  expect((await stat(join(cwd, '.waybill'))).isDirectory()).toBe(true);
});
