// How commands end: every code of the table by a real run, and what the driver's errors become.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT_CODES, explainError } from '../../cli/exit-codes.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { startProxy } from '../support/proxy.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { createWorld } from '../support/world.ts';
import { type CliOptions, runCli, startCli } from './run-cli.ts';

/** What held a command up before: ioredis' time limits of commands that it had dropped. */
const LONG_MS = 20_000;

test('--help tells every code and when a command ends with it', async () => {
  const { stdout } = await runCli(['--help']);
  const help = stdout.replaceAll(/\s+/g, ' ');
  for (const { code, when } of EXIT_CODES) expect(help).toContain(` ${code} ${when}`);
});

const WRITE = '{"method":"POST","path":"/v1/x"}\n';
const RUNS: Record<number, { args: string[]; options?: CliOptions; told: string }> = {
  0: { args: ['completion', 'bash'], told: '' },
  1: { args: ['find', 'no-such-write'], told: 'waybill: NOT_FOUND: nothing stands for "no-such-write"' },
  2: { args: ['enqueue', 'sms', '--body', '{}'], told: 'waybill: USAGE: --body says something about one write' },
  3: {
    args: ['enqueue', 'sms', '--path', '/v1/x'],
    options: { env: { REDIS_URL: 'redis://127.0.0.1:1' } },
    told: 'waybill: QUEUE_UNAVAILABLE: Redis at 127.0.0.1:1 gave no answer',
  },
};

test.each(Object.entries(RUNS))(
  'a command really ends with %s, and says why',
  async (code, { args, options, told }) => {
    const ended = await runCli(args, options);
    expect(ended.code).toBe(Number(code));
    expect(ended.stderr.startsWith(told)).toBe(true);
  },
);

test('a command really ends with 130 when it is stopped before it was done', async () => {
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  const cli = await startCli(['enqueue', name], { env: { REDIS_URL: redisUrl() }, input: WRITE, keepOpen: true });
  await cli.says('"queued"');
  cli.kill('SIGTERM');
  expect(await cli.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('waybill: STOPPED: SIGTERM') });
});

test('the table holds the codes that are shown here, and no other', () =>
  expect(EXIT_CODES.map(({ code }) => code)).toEqual([...Object.keys(RUNS).map(Number), 130]));

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

test.each([
  ['LOADING Redis is loading the dataset in memory'],
  ["READONLY You can't write against a read only replica."],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['CLUSTERDOWN The cluster is down'],
  ['BUSY Redis is busy running a script.'],
])('a Redis that is away for a moment is no Redis that refuses: %s', (message) =>
  expect(explainError(reply(message))).toEqual({
    exit: 3,
    said: `QUEUE_UNAVAILABLE: Redis is away for a moment (${message}). Try again.`,
  }),
);

test('what a Redis refuses is told with what may be wrong', () => {
  const { exit, said } = explainError(reply("NOPERM this user has no permissions to run the 'hkeys' command"));
  expect({ exit, said }).toEqual({
    exit: 3,
    said: expect.stringMatching(/^QUEUE_REFUSED: .*NOPERM .* may this user do that\?$/) as string,
  });
  expect(explainError(reply('MOVED 3999 127.0.0.1:7001')).said).toContain('give it as redis+cluster://');
  const full = explainError(reply("OOM command not allowed when used memory > 'maxmemory'."));
  expect(full).toEqual({ exit: 3, said: expect.stringMatching(/^QUEUE_REFUSED: .* Its memory is full: /) as string });
  expect(explainError(reply('MISCONF Redis is configured to save RDB snapshots')).said).toMatch(/^QUEUE_REFUSED: /);
});

test('a Cluster that does not serve its slots is away for a command that reads', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-slots-'));
  const server = await startPrivateRedis({ dir, args: ['--cluster-enabled', 'yes'] });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const { code, stderr } = await runCli(['status'], { env: { REDIS_URL: server.url } });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^waybill: QUEUE_UNAVAILABLE: Redis is away for a moment \(CLUSTERDOWN /);
});

test('a command that reads ends soon after its Redis has gone, whatever the driver still waits for', async () => {
  const world = await createWorld();
  const at = new URL(redisUrl());
  const proxy = await startProxy({ host: at.hostname, port: Number(at.port || 6379) });
  at.host = `127.0.0.1:${proxy.port}`;
  onTestFinished(() => proxy.close());
  let goneAt = 0;
  let requests = 0;
  // A connection that dies in its handshake, again and again.
  proxy.onRequest(() => {
    requests += 1;
    if (requests < 4) return;
    goneAt ||= Date.now();
    proxy.killSockets();
  });
  const { code, stderr } = await runCli(['status', '--destination', world.name], { env: { REDIS_URL: at.href } });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^waybill: QUEUE_UNAVAILABLE: /);
  expect(Date.now() - goneAt).toBeLessThan(LONG_MS);
});
