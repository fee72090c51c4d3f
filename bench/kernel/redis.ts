// The private redis-server of a run: alone on it, a benchmark can count every command and read its processor time.
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import type { Safety } from './bench.ts';

const COMMAND_LIMIT_MS = 60_000;
const POLL_MS = 10;
/** Its file is rewritten between rounds alone: a child that does it would share the cores with a window. */
const QUIET = ['--auto-aof-rewrite-percentage', '0'];

export interface RedisLook {
  /** User and system time of the server so far; without the children that rewrite its file. */
  cpuUs: number;
  /** Calls of each command so far, also those that scripts make. */
  calls: Record<string, number>;
  /** Of them those that start a script: evalsha, eval and fcall. Scripts start none, hence all of them are clients'. */
  scripts: number;
  usedBytes: number;
  rssBytes: number;
}

export interface BenchRedis {
  readonly url: string;
  readonly version: string;
  /** For what a benchmark asks besides: MEMORY USAGE and the like. */
  readonly client: Redis;
  look(): Promise<RedisLook>;
  /** The first of it alone, for next to nothing. */
  cpuUs(): Promise<number>;
  /** Empties it, and its append-only file. */
  empty(): Promise<void>;
  setSafety(safety: Safety): Promise<void>;
}

/** Server and folder are gone when the task has ended. @param args further ones of redis-server */
export async function withRedis<T>(
  task: (redis: BenchRedis & { dir: string }) => Promise<T>,
  args: string[] = [],
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-bench-'));
  const server = await startPrivateRedis({ dir: join(dir, 'redis'), args: [...QUIET, ...args] });
  const removeWithUs = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', removeWithUs); // after the server was told to end
  const client = new Redis(server.url, { commandTimeout: COMMAND_LIMIT_MS });
  try {
    const info = await client.info();
    return await task({
      url: server.url,
      dir,
      client,
      version: field(info, 'redis_version') ?? 'unknown',
      cpuUs: async () => cpuUsIn(await client.info('cpu')),
      look: async () => lookIn(await client.info('everything')),
      empty: () => emptied(client),
      setSafety: async (safety) => void (await client.config('SET', 'appendfsync', safety)),
    });
  } finally {
    client.disconnect();
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', removeWithUs);
  }
}

function lookIn(info: string): RedisLook {
  const number = (name: string): number => Number(field(info, name) ?? NaN);
  const all = info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm);
  const calls = Object.fromEntries(Array.from(all, ([, name = '', count]) => [name, Number(count)]));
  return {
    cpuUs: cpuUsIn(info),
    calls,
    scripts: (calls.evalsha ?? 0) + (calls.eval ?? 0) + (calls.fcall ?? 0),
    usedBytes: number('used_memory'),
    rssBytes: number('used_memory_rss'),
  };
}

async function emptied(client: Redis): Promise<void> {
  await client.flushall('SYNC');
  await client.bgrewriteaof();
  const until = performance.now() + COMMAND_LIMIT_MS;
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await client.info('persistence'))) {
    if (performance.now() > until) throw new Error(`Redis still rewrites its file after ${COMMAND_LIMIT_MS} ms`);
    await sleep(POLL_MS);
  }
}

const cpuUsIn = (info: string): number =>
  (Number(field(info, 'used_cpu_user')) + Number(field(info, 'used_cpu_sys'))) * 1e6;

const field = (info: string, name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
