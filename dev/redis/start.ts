// A private redis-server: loopback only, its own folder, an append-only file, gone when the program that started it ends.
import { mkdir, realpath } from 'node:fs/promises';
import { findRedisServer } from './find.ts';
import { findLiveServer, removeRecord, type ServerRecord, withFolderLocked, writeRecord } from './folder.ts';
import { shutDown } from './inquiry.ts';
import { launch } from './launch.ts';
import { isRunning, signal, waitForEnd } from './running.ts';

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

export interface PrivateRedisOptions {
  /** The data folder; made if it is not there. */
  dir: string;
  /** A free one when 0 or left out. */
  port?: number;
  /** Further redis-server arguments, after ours: `['--maxmemory-policy', 'allkeys-lru']`. A server taken over keeps those it has. No password: nobody here would know it. */
  args?: string[];
  appendFsync?: 'always' | 'everysec';
  env?: NodeJS.ProcessEnv;
  log?: (line: string) => void;
}

/**
 * Starts the folder's server, or takes over the one that a crashed program left behind in it.
 * @throws PrivateRedisError REDIS_SERVER_MISSING, REDIS_START_FAILED or REDIS_FOLDER_BUSY
 */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const { log = () => {}, env = process.env, port = 0 } = options;
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir); // as the server names it

  const server = await findRedisServer({ env, log }); // may download: not under the lock

  return withFolderLocked(dir, async () => {
    const live = await findLiveServer(dir);
    if (live && live.owner !== process.pid && isRunning(live.owner)) {
      log(`sharing the redis-server on port ${live.port} that process ${live.owner} started in ${dir}`);
      return { ...control(dir, live, `the redis-server of process ${live.owner}`), stop: async () => {} };
    }
    if (live && (port === 0 || port === live.port)) {
      log(`taking over the redis-server on port ${live.port} that was left behind in ${dir}`);
      const record = { ...live, owner: process.pid };
      await writeRecord(dir, record);
      return control(dir, record, `the redis-server left behind in ${dir}`);
    }
    if (live) await end(live);
    const { args = [], appendFsync = 'everysec' } = options;
    return control(dir, await launch(server, { dir, port, args, appendFsync }), server.from);
  });
}

function control(dir: string, record: ServerRecord, from: string): PrivateRedis {
  const { pid, port } = record;
  // In its own process group it outlives a Ctrl-C, so that a worker can drain; it shall not outlive this program's end.
  const endWithUs = () => signal(pid, 'SIGTERM');
  if (record.owner === process.pid) process.on('exit', endWithUs);
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await end(record);
    process.off('exit', endWithUs);
    await removeRecord(dir, pid);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid,
    from,
    stop: () => (stopped ??= stop()),
    kill: () => {
      process.off('exit', endWithUs);
      signal(pid, 'SIGKILL');
    },
  };
}

async function end({ pid, port }: ServerRecord): Promise<void> {
  if (!isRunning(pid)) return;
  await shutDown(port);
  if (await waitForEnd(pid, SHUTDOWN_LIMIT_MS)) return;
  signal(pid, 'SIGKILL');
  await waitForEnd(pid, KILL_LIMIT_MS);
}
