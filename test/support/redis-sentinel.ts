// A primary, its replica and three Sentinels that watch them: real processes on loopback, gone when the test ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { findRedisServer } from '../../dev/redis/find.ts';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { freePort } from './redis-ports.ts';
import { tlsArgs, tlsLines } from './redis-tls.ts';
import { eventually } from './world.ts';

export const PRIMARY_NAME = 'waybill-tests';
export const SENTINEL_PASSWORD = 'sentinel-password';
/** A primary that is silent for this long is down; quick, as a test must be. */
const DOWN_AFTER_MS = 500;
const FAILOVER_TIMEOUT_MS = 3000;
const FORMING_LIMIT_MS = 20_000;
const SETTINGS = [
  'bind 127.0.0.1',
  `requirepass ${SENTINEL_PASSWORD}`,
  `sentinel down-after-milliseconds ${PRIMARY_NAME} ${DOWN_AFTER_MS}`,
  `sentinel failover-timeout ${PRIMARY_NAME} ${FAILOVER_TIMEOUT_MS}`,
  `sentinel sentinel-pass ${SENTINEL_PASSWORD}`,
];

export interface SentinelSetup {
  readonly primary: PrivateRedis;
  readonly replica: PrivateRedis;
  /** `127.0.0.1:21001,…` */
  readonly sentinels: string;
  stop(): Promise<void>;
}

/** @param tls the primary and the Sentinels are to be met by TLS, with a client's certificate */
export async function startSentinels({
  sentinels = 3,
  tls = false,
}: { sentinels?: number; tls?: boolean } = {}): Promise<SentinelSetup> {
  const dirs: string[] = [];
  const ends: (() => Promise<unknown>)[] = [];
  const folder = async (): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-test-sentinel-'));
    dirs.push(dir);
    return dir;
  };
  const stop = async (): Promise<void> => {
    // The Sentinels first: they would see a failover in what follows.
    for (const end of ends.toReversed()) await end();
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
  };
  const redis = async (args: string[]): Promise<PrivateRedis> => {
    const server = await startPrivateRedis({ dir: await folder(), args: ['--repl-diskless-sync-delay', '0', ...args] });
    ends.push(() => server.stop());
    return server;
  };
  try {
    const tlsPort = tls ? await freePort() : undefined;
    const primary = await redis(tlsPort === undefined ? [] : tlsArgs(tlsPort));
    const replica = await redis(['--replicaof', `127.0.0.1 ${primary.port}`]);
    const [started, ports]: [number[], number[]] = [[], []];
    for (let i = 0; i < sentinels; i += 1) {
      const [port, ownTlsPort] = [await freePort(), tls ? await freePort() : undefined];
      const config = [
        `port ${port}`,
        ...(ownTlsPort === undefined ? [] : [...tlsLines(ownTlsPort), 'tls-replication yes']),
        `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${tlsPort ?? primary.port} ${Math.ceil(sentinels / 2)}`,
        ...SETTINGS,
      ];
      ends.push(await startSentinel(await folder(), config));
      started.push(port);
      ports.push(ownTlsPort ?? port);
    }
    await eventually(() => Promise.all(started.map((port) => isReady(port, sentinels - 1))), FORMING_LIMIT_MS);
    return { primary, replica, sentinels: ports.map((port) => `127.0.0.1:${port}`).join(','), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSentinel(dir: string, config: readonly string[]): Promise<() => Promise<unknown>> {
  const file = join(dir, 'sentinel.conf');
  await writeFile(file, `${config.join('\n')}\n`);
  const { command, env } = await findRedisServer();
  const child = spawn(command, [file, '--sentinel'], { cwd: dir, env, stdio: 'ignore' });
  const ended = once(child, 'close');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** It sees the replica and the other Sentinels, without which there is no failover. */
async function isReady(port: number, others: number): Promise<void> {
  const sentinel = new Redis({ port, password: SENTINEL_PASSWORD, lazyConnect: true, retryStrategy: null });
  sentinel.on('error', () => {});
  try {
    await sentinel.connect();
    const primary = await sentinel.call('SENTINEL', 'MASTER', PRIMARY_NAME);
    const fields = Array.isArray(primary) ? primary.map(String) : Object.entries(Object(primary)).flat().map(String);
    const count = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
    expect(count('num-slaves')).toBe(1);
    expect(count('num-other-sentinels')).toBe(others);
  } finally {
    sentinel.disconnect();
  }
}
