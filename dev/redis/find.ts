// Finds a redis-server to run: one on PATH, else the distribution's, fetched once and unpacked where it may be thrown away.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDistributionPackage } from './apt.ts';
import { cacheFolder } from './cache-folder.ts';
import { findOnPath, run } from './command.ts';
import { PrivateRedisError } from './errors.ts';

const NAMES = ['redis-server', 'valkey-server'];
const VERSION_LIMIT_MS = 10_000;

export interface RedisServer {
  command: string;
  env: NodeJS.ProcessEnv;
  /** For people: `redis-server 7.0.15 on PATH`. */
  from: string;
}

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Looks at PATH, XDG_CACHE_HOME and HOME of `env`; may download about 2 MB, once for each machine and user.
 * @throws PrivateRedisError REDIS_SERVER_MISSING; the reason of `signal` once it is aborted
 */
export async function findRedisServer(options: FindOptions = {}): Promise<RedisServer> {
  const { env = process.env, log = () => {}, signal } = options;
  signal?.throwIfAborted();
  for (const name of NAMES) {
    const command = await findOnPath(name, env.PATH);
    const version = command && (await versionOf(command, env, signal));
    if (command && version) return { command, env, from: `${name} ${version} on PATH` };
    if (command) log(`${command} does not run: passed over`);
  }
  // One folder for each release: a home folder may be shared by several containers.
  const root = join(await cacheFolder(env), `redis-${await release()}-${process.arch}`);
  try {
    const found = await serverIn(root, env, signal);
    if (found) return found;
    await unpackDistributionPackage({ root, env, log, signal });
    const unpacked = await serverIn(root, env, signal);
    if (unpacked) return unpacked;
    throw new Error(`the distribution's package, unpacked in ${root}, does not run`);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new PrivateRedisError(
      'REDIS_SERVER_MISSING',
      'No Redis: there is no redis-server or valkey-server on PATH, and the distribution’s package could not be had ' +
        `(${cause instanceof Error ? cause.message : String(cause)}). ` +
        'Install Redis 6.2 or newer (Debian and Ubuntu: apt install redis-server), or set REDIS_URL to a running one.',
      cause,
    );
  }
}

async function serverIn(
  root: string,
  systemEnv: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<RedisServer | undefined> {
  const files = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const folders = new Set(files.filter((file) => /\.so(?:\.|$)/.test(file.name)).map((file) => file.parentPath));
  if (systemEnv.LD_LIBRARY_PATH) folders.add(systemEnv.LD_LIBRARY_PATH);
  const env = { ...systemEnv, LD_LIBRARY_PATH: [...folders].join(':') };
  const command = join(root, 'usr/bin/redis-server');
  const version = await versionOf(command, env, signal);
  return version ? { command, env, from: `redis-server ${version}, the distribution's package in ${root}` } : undefined;
}

/** From `Redis server v=7.0.15 sha=…`; undefined when it does not run, for want of a library for example. */
async function versionOf(
  command: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const line = await run(command, ['--version'], { env, limitMs: VERSION_LIMIT_MS, signal }).catch(() => '');
  signal?.throwIfAborted();
  return /\bv=(\S+)/.exec(line)?.[1];
}

/** `debian-12`, or the platform where there is no os-release. */
async function release(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(text)?.[1];
  return [field('ID') ?? process.platform, field('VERSION_ID')].filter(Boolean).join('-');
}
