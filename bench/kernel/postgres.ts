// The private PostgreSQL of a run, for the peers that need one: memory and connections raised to what these need, and as safe
// against a crash as it is by default.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { peer } from '../peers/peer.ts';
import type { Pg } from '../peers/pg.ts';
import type { Safety } from './bench.ts';
import { findPostgres } from './find-postgres.ts';
import { cpuUsOfTree } from './proc.ts';

export interface BenchPostgres {
  readonly url: string;
  readonly version: string;
  /** User and system time so far of the server and all its processes. */
  cpuUs(): Promise<number>;
  /** Drops all that stands in it. `everysec`: a commit is answered before it is on disk, as with Redis. */
  empty(safety: Safety): Promise<void>;
  stop(): Promise<void>;
}

const USER = 'bench';
/** PostgreSQL refuses to run as root; as root it runs as nobody. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 50;
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=256MB',
  'max_connections=300',
  // Checkpoints between rounds alone, as with Redis' file.
  'max_wal_size=4GB',
  'checkpoint_timeout=30min',
];

/** @throws when there is no PostgreSQL to be had, or the peers' packages are not installed */
export async function startPostgres(log: (line: string) => void): Promise<BenchPostgres> {
  const { Client } = peer('pg') as Pg;
  const { bin, env } = await findPostgres(log);
  const dir = await mkdtemp(join(tmpdir(), 'waybill-bench-pg-'));
  const identity = process.getuid?.() === 0 ? NOBODY : undefined;
  if (identity) await chown(dir, identity.uid, identity.gid);
  const data = join(dir, 'data');
  const init = ['-D', data, '-U', USER, '--auth=trust', '--no-sync', '-E', 'UTF8'];
  await promisify(execFile)(join(bin, 'initdb'), init, { env, cwd: dir, timeout: START_LIMIT_MS, ...identity });
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(bin, 'postgres'), args, { env, cwd: dir, stdio: 'ignore', ...identity });
  const exit = once(server, 'exit');
  const endWithUs = (): void => {
    server.kill('SIGKILL'); // its processes end when they see it gone
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', endWithUs);
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGINT'); // at once, and in order
      const patience = setTimeout(() => server.kill('SIGKILL'), STOP_LIMIT_MS);
      await exit;
      clearTimeout(patience);
    }
    process.off('exit', endWithUs);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const urlOf = (database: string): string => `postgres://${USER}@127.0.0.1:${port}/${database}`;
  const ask = async (...queries: string[]): Promise<unknown> => {
    const client = new Client({ connectionString: urlOf('postgres') });
    await client.connect();
    try {
      let answer: { rows: Record<string, unknown>[] } = { rows: [] };
      for (const query of queries) answer = await client.query(query);
      return Object.values(answer.rows[0] ?? {})[0];
    } finally {
      await client.end();
    }
  };
  try {
    const version = String(await whenUp(() => ask('SHOW server_version')));
    return {
      url: urlOf(USER),
      version,
      cpuUs: () => cpuUsOfTree(server.pid ?? 0),
      empty: async (safety) => {
        const commit = `ALTER SYSTEM SET synchronous_commit = ${safety === 'always' ? 'on' : 'off'}`;
        const database = [`DROP DATABASE IF EXISTS ${USER} WITH (FORCE)`, `CREATE DATABASE ${USER}`];
        await ask(commit, 'SELECT pg_reload_conf()', ...database, 'CHECKPOINT');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function whenUp<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(POLL_MS);
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
