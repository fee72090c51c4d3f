// The private redis-server: found without being installed, one for each folder, nothing lost and nothing left running.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findOnPath, run } from '../../dev/redis/command.ts';
import { findRedisServer } from '../../dev/redis/find.ts';
import { identify } from '../../dev/redis/inquiry.ts';
import { withFolderLocked } from '../../dev/redis/lock.ts';
import { identityOf, isRunning, isStillRunning, sendSignal } from '../../dev/redis/running.ts';
import { type PrivateRedisOptions, startPrivateRedis } from '../../dev/redis/start.ts';
import { spawnNode } from '../support/processes.ts';

const PROGRAM = fileURLToPath(new URL('../support/start-private-redis.ts', import.meta.url));

const HAS_PROC = existsSync('/proc/self/stat');

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

async function readRecord(): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(join(dir, 'redis.json'), 'utf8').catch(() => 'null');
  return JSON.parse(text) ?? undefined;
}

async function amendRecord(changes: Record<string, unknown>): Promise<void> {
  await writeFile(join(dir, 'redis.json'), JSON.stringify({ ...(await readRecord()), ...changes }));
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

  test('left behind by a program killed before it could note the server’s id, is taken over too', async () => {
    const { program, pid, port } = await startInAnotherProcess('killed-at-spawn');
    await program.exited;
    expect(isRunning(pid)).toBe(true);

    const redis = await start();
    expect(redis).toMatchObject({ pid, port });
    await redis.stop();
    expect(isRunning(pid)).toBe(false);
  });

  test.runIf(HAS_PROC)('is taken over although an unrelated process has its dead owner’s id now', async () => {
    const { program, pid } = await startInAnotherProcess();
    program.kill('SIGKILL');
    await program.exited;
    await amendRecord({ owner: process.ppid });

    const redis = await start();
    expect(redis.pid).toBe(pid);
    await redis.stop();
    expect(isRunning(pid)).toBe(false);
  });

  test.runIf(HAS_PROC)('that is dead is started anew although an unrelated process has its id now', async () => {
    const first = await start();
    first.kill();
    const held = await holdPort();
    await amendRecord({ pid: process.ppid, port: held.port });

    const second = await start();
    expect(second.pid).not.toBe(process.ppid);
    expect(isRunning(process.ppid)).toBe(true);
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

  test('whose start is aborted while it comes up is ended, and the folder is free at once', async () => {
    const reason = new Error('Ctrl-C');
    let pid = 0;
    // A busy machine may see it up before the abort is made: then again.
    await expect
      .poll(
        async () => {
          const abort = new AbortController();
          const starting = startPrivateRedis({ dir, signal: abort.signal });
          starting.catch(() => {});
          await expect.poll(async () => Number((await readRecord())?.pid), { interval: 1 }).toBeGreaterThan(0);
          pid = Number((await readRecord())?.pid);
          abort.abort(reason);
          return starting.then(
            (late) => late.stop(),
            (error: unknown) => error,
          );
        },
        { timeout: 20_000 },
      )
      .toBe(reason);
    expect(isRunning(pid)).toBe(false);
    expect((await start()).pid).not.toBe(pid);
  });

  test('whose start was aborted before is not looked for', async () => {
    const signal = AbortSignal.abort();
    await expect(startPrivateRedis({ dir, signal })).rejects.toBe(signal.reason);
    expect(await readdir(dir)).toEqual([]);
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

describe('the lock of a folder', () => {
  /** A lock whose holder was killed inside. */
  async function leaveStaleLock(): Promise<number> {
    const program = spawnNode(PROGRAM, { args: [dir, 'only-lock'] });
    await program.waitForLine('pid');
    program.kill('SIGKILL');
    await program.exited;
    return program.pid;
  }

  const lockFiles = async () => (await readdir(dir)).filter((name) => name.startsWith('starting.lock'));

  test('that is stale lets one in at a time, however many meet it', async () => {
    await leaveStaleLock();
    const [name = ''] = await lockFiles();
    const stale = await readFile(join(dir, name));
    const rounds = Array.from({ length: 25 }, (_, round) => join(dir, `round-${round}`));
    for (const folder of rounds) {
      await mkdir(folder);
      await writeFile(join(folder, name), stale);
    }
    const firstAt = String(Date.now() + 1_500); // all are up by then, and meet each lock at the same moment
    const programs = Array.from({ length: 4 }, () => spawnNode(PROGRAM, { args: [dir, 'meet-locks', firstAt] }));
    for (const program of programs) {
      expect(await program.exited).toEqual({ code: 0, signal: null });
      expect(program.lines).toEqual(rounds.map(() => 'alone'));
    }
    const kept = await Promise.all(rounds.map((folder) => readdir(folder)));
    expect(Math.max(...kept.map((files) => files.length))).toBeLessThanOrEqual(2);
  });

  test.runIf(HAS_PROC)('is stale although an unrelated process has its dead holder’s id now', async () => {
    const pid = await leaveStaleLock();
    const [name = ''] = await lockFiles();
    const text = await readFile(join(dir, name), 'utf8');
    await writeFile(join(dir, name), text.replace(String(pid), String(process.ppid)));
    expect(await withFolderLocked(dir, async () => 'inside')).toBe('inside');
  });

  test('is free again after a failure inside', async () => {
    const failed = withFolderLocked(dir, () => Promise.reject(new Error('inside')));
    await expect(failed).rejects.toThrow('inside');
    expect(await withFolderLocked(dir, async () => 'inside')).toBe('inside');
  });

  test('is not waited for any longer once the start is aborted', async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holder = withFolderLocked(dir, () => {
      entered.resolve();
      return release.promise;
    });
    await entered.promise;
    const reason = new Error('Ctrl-C');
    const abort = new AbortController();
    const waiting = withFolderLocked(dir, async () => 'inside', abort.signal);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    release.resolve();
    await holder;
  });
});

test.runIf(HAS_PROC)('a process that merely has the id of another is neither taken for it nor signalled', async () => {
  const program = spawnNode(PROGRAM, { args: [dir, 'only-lock'] });
  const itself = identityOf(program.pid);
  expect(isStillRunning(itself)).toBe(true);
  const another = { pid: program.pid, start: Number(itself.start) - 1 };
  expect(isStillRunning(another)).toBe(false);
  sendSignal(another, 'SIGKILL');
  await sleep(50);
  expect(isRunning(program.pid)).toBe(true);
  sendSignal(itself, 'SIGKILL');
  expect(await program.exited).toMatchObject({ signal: 'SIGKILL' });
});

test('a failed command’s message holds no part of a password, whatever its characters', async () => {
  const script = 'echo "E: proxy http://user:se/c@ret@proxy:3128 refused" >&2; exit 100';
  const failed = run('/bin/sh', ['-c', script], { env: {}, limitMs: 5_000 });
  await expect(failed).rejects.toThrow('http://proxy:3128 refused');
  await expect(failed).rejects.not.toThrow(/ret@|se\/c/);
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

  /** An environment whose only programs are these scripts. */
  async function systemOf(aptGet: string): Promise<NodeJS.ProcessEnv> {
    const bin = join(dir, 'bin');
    await mkdir(bin);
    for (const [name, script] of Object.entries({ 'apt-get': aptGet, 'apt-config': '', 'dpkg-deb': '' })) {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bin, name), 0o755);
    }
    return { PATH: bin, XDG_CACHE_HOME: join(dir, 'cache') };
  }

  test('is given up at once when aborted: the download ends and leaves nothing behind', async () => {
    const env = await systemOf(`echo $$ > ${dir}/apt.pid; exec /bin/sleep 60`);
    const reason = new Error('Ctrl-C');
    const abort = new AbortController();
    const finding = findRedisServer({ env, signal: abort.signal });
    finding.catch(() => {});
    const aptPid = async () => Number(await readFile(join(dir, 'apt.pid'), 'utf8').catch(() => 0));
    await expect.poll(aptPid).toBeGreaterThan(0);
    abort.abort(reason);
    await expect(finding).rejects.toBe(reason);
    const pid = await aptPid();
    await expect.poll(() => isRunning(pid), { timeout: 1_000 }).toBe(false);
    expect(await readdir(join(dir, 'cache', 'waybill'))).toEqual([]);
  });

  test('a download killed by a signal is not taken for missing package lists', async () => {
    const env = await systemOf(`echo "$@" >> ${dir}/apt.log; kill -TERM $$`);
    await expect(findRedisServer({ env })).rejects.toMatchObject({
      code: 'REDIS_SERVER_MISSING',
      message: expect.stringMatching(/apt-get -qq download .* was ended by SIGTERM/),
    });
    expect(await readFile(join(dir, 'apt.log'), 'utf8')).not.toContain('update');
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
