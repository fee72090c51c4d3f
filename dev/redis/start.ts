// A private redis-server: loopback only, its own folder, an append-only file, gone when the program that started it ends.
import { mkdir, realpath } from 'node:fs/promises';
import { type FindOptions, findRedisServer } from './find.ts';
import { findLiveServer, intentFor, isOwnedByAnother, processOf, type ServerRecord, writeRecord } from './folder.ts';
import { shutDown } from './inquiry.ts';
import { launch } from './launch.ts';
import { withFolderLocked } from './lock.ts';
import { isStillRunning, sendSignal, waitForEnd } from './running.ts';

const SHUTDOWN_LIMIT_MS = 5_000;
const KILL_LIMIT_MS = 2_000;

export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** For people: which redis-server this is. */
  readonly from: string;
  /** Writes the data out and ends the server; one that does not end in time is killed. Leaves a server that belongs to another running process alone. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would; the folder keeps what was written. */
  kill(): void;
}

/** An abort of `signal` ends a start, not a server that has started. */
export interface PrivateRedisOptions extends FindOptions {
  /** The data folder; made if it is not there. */
  dir: string;
  /** A free one when 0 or left out. */
  port?: number;
  /** Further redis-server arguments, after ours: `['--maxmemory-policy', 'allkeys-lru']`. A server taken over keeps those it has. No password: nobody here would know it. */
  args?: string[];
  appendFsync?: 'always' | 'everysec';
}

/**
 * Starts the folder's server, or takes over the one that a crashed program left behind in it.
 * @throws PrivateRedisError REDIS_SERVER_MISSING, REDIS_START_FAILED or REDIS_FOLDER_BUSY; the reason of `signal` once it is
 * aborted, and then nothing that was started here runs on
 */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const { log = () => {}, port = 0, signal } = options;
  signal?.throwIfAborted();
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir); // as the server names it

  const server = await findRedisServer(options); // may download: not under the lock

  const begin = async () => {
    const live = await findLiveServer(dir, signal);
    signal?.throwIfAborted();
    if (live && isOwnedByAnother(live)) {
      log(`sharing the redis-server on port ${live.port} that process ${live.owner} started in ${dir}`);
      return { ...control(live, `the redis-server of process ${live.owner}`), stop: async () => {} };
    }
    if (live && (port === 0 || port === live.port)) {
      log(`taking over the redis-server on port ${live.port} that was left behind in ${dir}`);
      const record = { ...live, ...intentFor(live.port) };
      await writeRecord(dir, record);
      return control(record, `the redis-server left behind in ${dir}`);
    }
    if (live) await end(live);
    const { args = [], appendFsync = 'everysec' } = options;
    return control(await launch(server, { dir, port, args, appendFsync, signal }), server.from);
  };
  return withFolderLocked(dir, begin, signal);
}

function control(record: ServerRecord, from: string): PrivateRedis {
  const { pid, port } = record;
  // In its own process group it outlives a Ctrl-C, so that a worker can drain; it shall not outlive this program's end.
  const endWithUs = () => sendSignal(processOf(record), 'SIGTERM');
  if (record.owner === process.pid) process.on('exit', endWithUs);
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    // The record stays: by now it may be another's, and one of a server that has ended means nothing.
    await end(record);
    process.off('exit', endWithUs);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid,
    from,
    stop: () => (stopped ??= stop()),
    kill: () => {
      process.off('exit', endWithUs);
      sendSignal(processOf(record), 'SIGKILL');
    },
  };
}

async function end(record: ServerRecord): Promise<void> {
  const server = processOf(record);
  if (!isStillRunning(server)) return;
  await shutDown(record.port);
  if (await waitForEnd(server, SHUTDOWN_LIMIT_MS)) return;
  sendSignal(server, 'SIGKILL');
  await waitForEnd(server, KILL_LIMIT_MS);
}
