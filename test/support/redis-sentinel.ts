// A primary, its replica and three Sentinels that watch them: real processes on loopback, gone when they are stopped.
// It knows no test runner: campaigns use it too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../chaos/until.ts';
import { findRedisServer } from '../../dev/redis/find.ts';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { freePort } from './redis-ports.ts';
import { tlsArgs, tlsLines } from './redis-tls.ts';

export const PRIMARY_NAME = 'waybill-tests';
export const SENTINEL_PASSWORD = 'sentinel-password';
/** Quick, as a test must be. */
const DOWN_AFTER_MS = 500;
const FAILOVER_TIMEOUT_MS = 3000;
const FORMING_LIMIT_MS = 20_000;
const SETTINGS = [
  'bind 127.0.0.1',
  `requirepass ${SENTINEL_PASSWORD}`,
  `sentinel failover-timeout ${PRIMARY_NAME} ${FAILOVER_TIMEOUT_MS}`,
  `sentinel sentinel-pass ${SENTINEL_PASSWORD}`,
];

export interface SentinelSetup {
  readonly primary: PrivateRedis;
  readonly replica: PrivateRedis;
  /** Holds every file of theirs. */
  readonly folder: string;
  /** `127.0.0.1:21001,…` */
  readonly sentinels: string;
  /**
   * Starts a server that was killed: on its port, with what it had.
   * @param of the port of its primary; a primary itself when left out, until the Sentinels tell it otherwise
   */
  restart(server: PrivateRedis, of?: number): Promise<PrivateRedis>;
  /** The port of the primary that most Sentinels name. */
  namedPort(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/**
 * @param tls the primary and the Sentinels are to be met by TLS, with a client's certificate
 * @param downAfterMs a primary that is silent for so long is down
 */
export async function startSentinels({
  sentinels = 3,
  tls = false,
  downAfterMs = DOWN_AFTER_MS,
}: { sentinels?: number; tls?: boolean; downAfterMs?: number } = {}): Promise<SentinelSetup> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-sentinel-'));
  const ends: (() => Promise<unknown>)[] = [];
  const dirs = new Map<number, string>();
  const stop = async (): Promise<void> => {
    // The Sentinels first: they would see a failover in what follows.
    for (const end of ends.toReversed()) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const redis = async (dir: string, port: number, args: readonly string[]): Promise<PrivateRedis> => {
    const server = await startPrivateRedis({ dir, port, args: ['--repl-diskless-sync-delay', '0', ...args] });
    dirs.set(server.port, dir);
    ends.unshift(() => server.stop());
    return server;
  };
  const replicaOf = (port: number): string[] => ['--replicaof', `127.0.0.1 ${port}`];
  try {
    const tlsPort = tls ? await freePort() : undefined;
    const primary = await redis(join(folder, 'first'), 0, tlsPort === undefined ? [] : tlsArgs(tlsPort));
    const replica = await redis(join(folder, 'second'), 0, replicaOf(primary.port));
    const [started, ports]: [number[], number[]] = [[], []];
    for (let i = 0; i < sentinels; i += 1) {
      const [port, ownTlsPort] = [await freePort(), tls ? await freePort() : undefined];
      const config = [
        `port ${port}`,
        ...(ownTlsPort === undefined ? [] : [...tlsLines(ownTlsPort), 'tls-replication yes']),
        `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${tlsPort ?? primary.port} ${Math.ceil(sentinels / 2)}`,
        ...SETTINGS,
        `sentinel down-after-milliseconds ${PRIMARY_NAME} ${downAfterMs}`,
      ];
      ends.push(await startSentinel(join(folder, `sentinel-${i}`), config));
      started.push(port);
      ports.push(ownTlsPort ?? port);
    }
    const isFormed = async (): Promise<boolean> =>
      (await Promise.all(started.map((port) => isReady(port, sentinels - 1)))).every(Boolean);
    await until('the Sentinels see the replica and each other', isFormed, FORMING_LIMIT_MS);
    return {
      primary,
      replica,
      folder,
      sentinels: ports.map((port) => `127.0.0.1:${port}`).join(','),
      restart: ({ port }, of) =>
        redis(dirs.get(port) ?? join(folder, String(port)), port, of === undefined ? [] : replicaOf(of)),
      namedPort: async () => {
        const named = await Promise.all(started.map(async (port) => Number((await factsOf(port))?.get('port'))));
        return named.find((port) => named.filter((other) => other === port).length > named.length / 2);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSentinel(dir: string, config: readonly string[]): Promise<() => Promise<unknown>> {
  await mkdir(dir);
  const file = join(dir, 'sentinel.conf');
  await writeFile(file, `${config.join('\n')}\n`);
  const { command, env } = await findRedisServer();
  const child = spawn(command, [file, '--sentinel'], { cwd: dir, env, stdio: 'ignore' });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  const ended = once(child, 'close');
  return async () => {
    process.off('exit', kill);
    kill();
    await ended;
  };
}

/** It sees the replica and the other Sentinels, without which there is no failover. */
async function isReady(port: number, others: number): Promise<boolean> {
  const facts = await factsOf(port);
  return facts?.get('num-slaves') === '1' && facts.get('num-other-sentinels') === String(others);
}

/** What a Sentinel knows of the primary; undefined while it does not answer. */
async function factsOf(port: number): Promise<Map<string, string> | undefined> {
  const sentinel = new Redis({ port, password: SENTINEL_PASSWORD, lazyConnect: true, retryStrategy: null });
  sentinel.on('error', () => {});
  try {
    await sentinel.connect();
    const primary = await sentinel.call('SENTINEL', 'MASTER', PRIMARY_NAME);
    const fields = (Array.isArray(primary) ? primary : Object.entries(Object(primary)).flat()).map(String);
    return new Map(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i] ?? '', fields[2 * i + 1] ?? '']));
  } catch {
    return undefined;
  } finally {
    sentinel.disconnect();
  }
}
