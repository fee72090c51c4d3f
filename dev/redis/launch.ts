// Starts one redis-server process on loopback and waits until it answers, or says why it does not.
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PrivateRedisError } from './errors.ts';
import type { RedisServer } from './find.ts';
import { intentFor, processOf, recordFor, removeRecord, type ServerRecord, writeRecord } from './folder.ts';
import { identify, ping } from './inquiry.ts';
import { waitForEnd } from './running.ts';

const READY_LIMIT_MS = 10_000; // loading the data included
const POLL_MS = 20;
const PORT_TRIES = 5;
const LOG_TAIL_LINES = 8;

interface Launch {
  dir: string;
  /** 0 for a free one. */
  port: number;
  args: string[];
  appendFsync: 'always' | 'everysec';
  signal: AbortSignal | undefined;
}

/**
 * Only under the folder's lock.
 * @throws PrivateRedisError REDIS_START_FAILED with the tail of the server's log; the signal's reason once it is aborted
 */
export async function launch(server: RedisServer, options: Launch): Promise<ServerRecord> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port || (await freePort());
    options.signal?.throwIfAborted();
    const { record, failure } = await launchOn(port, server, options);
    if (record) return record;
    await removeRecord(options.dir);
    options.signal?.throwIfAborted();
    // Somebody may take a free port before Redis binds it; nobody but the server itself can find out.
    const taken = options.port === 0 && /address already in use/i.test(failure);
    if (!taken || attempt === PORT_TRIES) {
      const message = `${server.command} did not come up on 127.0.0.1:${port}: ${failure}`;
      throw new PrivateRedisError('REDIS_START_FAILED', message);
    }
  }
}

async function launchOn(
  port: number,
  server: RedisServer,
  { dir, args, appendFsync, signal }: Launch,
): Promise<{ record: ServerRecord; failure?: undefined } | { record?: undefined; failure: string }> {
  const settings = {
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    port: String(port),
    dir,
    daemonize: 'no',
    appendonly: 'yes',
    appendfsync: appendFsync,
    save: '',
    'maxmemory-policy': 'noeviction',
    // By the name that Redis 6.2 knows too: a dead letter in one piece (docs/redis.md#memory).
    'hash-max-ziplist-value': '1024',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const logFile = join(dir, 'redis.log');
  const log = await open(logFile, 'a');
  const logStartBytes = (await log.stat()).size;
  // Recorded before there is a process to lose: should this program be killed now, the next one asks that port.
  const intent = intentFor(port);
  await writeRecord(dir, intent);
  const child = spawn(server.command, [...flags, ...args], {
    cwd: dir,
    env: server.env,
    detached: true, // its own process group: a Ctrl-C in the terminal is for the programs that use it
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  const record = child.pid === undefined ? undefined : recordFor(intent, child.pid);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, killedBy) => resolve(`it ended with ${killedBy ?? `code ${code}`}`));
  });
  await log.close();

  const recorded = record && writeRecord(dir, record);
  const ready = recorded?.then(() => readiness(child, port, signal));
  const failure = await Promise.race(ready ? [ended, ready] : [ended]).catch((error: unknown) => String(error));
  if (failure === undefined && record) return { record };
  child.kill('SIGKILL');
  if (record) await waitForEnd(processOf(record), READY_LIMIT_MS);
  await recorded?.catch(() => {}); // it shall not come after the record's removal
  const tail = (await readFile(logFile)).subarray(logStartBytes).toString().trim().split('\n').slice(-LOG_TAIL_LINES);
  return { failure: `${failure}. The end of ${logFile}:\n${tail.join('\n')}` };
}

/** Undefined once this very process answers PING; the time limit's sentence otherwise. */
async function readiness(
  child: ChildProcess,
  port: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null) {
    if (signal?.aborted) return 'its start was aborted';
    try {
      // Another server may hold the port while ours is about to fail on it.
      if ((await identify(port)).pid === child.pid && (await ping(port)) === 'PONG') return undefined;
    } catch {
      // not listening yet, or LOADING
    }
    if (performance.now() > deadline) return `it was not ready within ${READY_LIMIT_MS} ms`;
    await sleep(POLL_MS);
  }
  return 'it ended';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
