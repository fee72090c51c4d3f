// The private redis-server: found without being installed, one for each folder, nothing lost and nothing left running.
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findOnPath } from '../../dev/redis/command.ts';
import { findRedisServer } from '../../dev/redis/find.ts';
import { identify } from '../../dev/redis/inquiry.ts';
import { isRunning } from '../../dev/redis/running.ts';
import { type PrivateRedisOptions, startPrivateRedis } from '../../dev/redis/start.ts';
import { spawnNode } from '../support/processes.ts';

const PROGRAM = fileURLToPath(new URL('../support/start-private-redis.ts', import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-private-redis-'));
  return () => rm(dir, { recursive: true, force: true });
});

async function start(more: Partial<PrivateRedisOptions> = {}) {
  const redis = await startPrivateRedis({ dir, ...more });
  onTestFinished(() => redis.stop());
  return redis;
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function startInAnotherProcess(...args: string[]) {
  const program = spawnNode(PROGRAM, { args: [dir, ...args] });
  const line = await program.waitForLine(/^pid \d+ port \d+$/);
  const [pid = 0, port = 0] = (line.match(/\d+/g) ?? []).map(Number);
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { program, pid, port };
}

// Skipped only where the tests were given another Redis (REDIS_URL, Docker): without one they could not have begun.
const server = await findRedisServer().catch(() => undefined);

describe.skipIf(!server)('a private redis-server', () => {
  test('answers on loopback, keeps an append-only file and evicts nothing', async () => {
    const redis = await start();
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(redis.from).toBe(server?.from);
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
    const settings = await ask(redis.url, (client) =>
      client.config('GET', 'bind', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save'),
    );
    expect(settings).toEqual(
      expect.arrayContaining(['127.0.0.1', 'appendonly', 'yes', 'everysec', 'maxmemory-policy', 'noeviction', '']),
    );
  });

  test('takes appendfsync and further arguments', async () => {
    const redis = await start({ appendFsync: 'always', args: ['--maxmemory-policy', 'allkeys-lru'] });
    const settings = await ask(redis.url, (client) => client.config('GET', 'appendfsync', 'maxmemory-policy'));
    expect(settings).toEqual(expect.arrayContaining(['always', 'allkeys-lru']));
  });

  test('keeps its data over stop and start in the same folder', async () => {
    const first = await start();
    await ask(first.url, (client) => client.set('key', 'kept'));
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    const second = await start({ port: first.port });
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second.url, (client) => client.get('key'))).toBe('kept');
  });

  test('keeps what was written before a kill', async () => {
    const first = await start({ appendFsync: 'always' });
    await ask(first.url, (client) => client.set('key', 'kept'));
    first.kill();
    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second.url, (client) => client.get('key'))).toBe('kept');
    await first.stop(); // late, and no business of the second
    expect((await start()).pid).toBe(second.pid);
  });

  test('left behind by a killed program, is taken over by the next start in its folder', async () => {
    const { program, pid, port } = await startInAnotherProcess();
    program.kill('SIGKILL');
    await program.exited;
    expect(isRunning(pid)).toBe(true);

    const redis = await start();
    expect(redis).toMatchObject({ pid, port });
    await redis.stop();
    expect(isRunning(pid)).toBe(false);
  });

  test('left behind on another port than the one asked for, is ended and started there with its data', async () => {
    const left = await startInAnotherProcess();
    left.program.kill('SIGKILL');
    await left.program.exited;
    await ask(`redis://127.0.0.1:${left.port}`, (client) => client.set('key', 'kept'));

    const port = await holdPort().then((held) => held.release());
    const redis = await start({ port });
    expect(redis.port).toBe(port);
    expect(isRunning(left.pid)).toBe(false);
    expect(await ask(redis.url, (client) => client.get('key'))).toBe('kept');
  });

  test('of a program that still runs is shared, and not stopped by the second', async () => {
    const { pid, port } = await startInAnotherProcess();
    const redis = await start();
    expect(redis).toMatchObject({ pid, port });
    await redis.stop();
    expect(isRunning(pid)).toBe(true);
  });

  test('is one server when two starts in one folder race', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.pid).toBe(other.pid);
  });

  test('is not mistaken for another server that has its old port', async () => {
    const first = await start();
    first.kill();
    const otherDir = join(dir, 'other');
    const other = await start({ dir: otherDir, port: first.port });
    const second = await start();
    expect(second.pid).not.toBe(other.pid);
    expect((await identify(second.port)).dir).toBe(dir);
  });

  test('ends when the program that started it exits', async () => {
    const { program, pid } = await startInAnotherProcess('and-exit');
    await program.exited;
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test('that does not come up is an error with the end of its log', async () => {
    await expect(startPrivateRedis({ dir, args: ['--maxmemory-policy', 'nonsense'] })).rejects.toMatchObject({
      code: 'REDIS_START_FAILED',
      message: expect.stringMatching(/ended with code 1.*maxmemory-policy "nonsense"/s),
    });
  });

  test('on a port that is taken is an error, and that port is not left in the folder', async () => {
    const held = await holdPort();
    await expect(startPrivateRedis({ dir, port: held.port })).rejects.toMatchObject({
      code: 'REDIS_START_FAILED',
      message: expect.stringMatching(/address already in use/i),
    });
    await held.release();
    await expect(readFile(join(dir, 'redis.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('finding redis-server', () => {
  const tools = ['apt-get', 'apt-config', 'dpkg', 'dpkg-deb', 'tar', 'xz'];

  test('without one on PATH, the distribution’s package is unpacked into the cache and runs', async ({ skip }) => {
    const bin = join(dir, 'bin');
    await mkdir(bin);
    for (const name of tools) {
      const file = await findOnPath(name, process.env.PATH);
      if (file) await symlink(file, join(bin, name));
      else if (name.startsWith('apt')) skip('not Debian or Ubuntu');
    }
    const env = { ...process.env, PATH: bin };
    const found = await findRedisServer({ env });
    expect(found.from).toMatch(/^redis-server \d+\.\d+\.\d+, the distribution's package in /);
    const redis = await start({ env });
    expect(redis.from).toBe(found.from);
    expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
  });

  test('nowhere to be had is one error that says what to install or set', async () => {
    await expect(findRedisServer({ env: { PATH: '', XDG_CACHE_HOME: dir } })).rejects.toMatchObject({
      code: 'REDIS_SERVER_MISSING',
      message: expect.stringMatching(/no apt-get.*Install Redis.*REDIS_URL/s),
    });
  });
});

/** Some port, taken until it is released. */
async function holdPort() {
  const holder = createServer((socket: Socket) => socket.destroy());
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => {
      const address = holder.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  const release = () => new Promise<number>((resolve) => holder.close(() => resolve(port)));
  onTestFinished(async () => void (await release()));
  return { port, release };
}
