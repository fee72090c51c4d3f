// A result: what was measured, of what, on what machine. bench/results/NAME.json; what is published stands in
// bench/results/published/ and is the source of docs/performance.md.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import type { BenchPostgres } from './postgres.ts';
import type { BenchRedis } from './redis.ts';
import type { RunOptions, Table } from './rounds.ts';

const RESULTS = new URL('../results/', import.meta.url);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PEERS = 'bench/peers/';
const PACKAGES = ['bullmq', 'ioredis', 'undici', 'pino'];
const require = createRequire(import.meta.url);

export interface Result {
  name: string;
  title: string;
  /** ISO 8601. */
  at: string;
  /** With `+` where the tree differed from it. */
  commit: string;
  machine: {
    node: string;
    processor: string;
    cores: number;
    redis: string;
    /** Where an arm asked for it. */
    postgres?: string;
    packages: Record<string, string>;
  };
  rounds: number;
  quick: boolean;
  tables: Table[];
}

interface Servers {
  redis: BenchRedis;
  postgres: BenchPostgres | undefined;
}

export function resultOf(bench: Bench, tables: Table[], { rounds, quick }: RunOptions, servers: Servers): Result {
  const usesPeers = bench.arms.some(({ module }) => module.startsWith(PEERS));
  return {
    name: bench.name,
    title: bench.title,
    at: new Date().toISOString(),
    commit: commit(),
    machine: {
      node: process.version,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      redis: servers.redis.version,
      ...(servers.postgres && { postgres: servers.postgres.version }),
      packages: { ...versionsIn('node_modules', PACKAGES), ...(usesPeers && peerVersions()) },
    },
    rounds,
    quick,
    tables,
  };
}

const json = (file: string): unknown => require(`../../${file}`);

const versionsIn = (folder: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => [name, (json(`${folder}/${name}/package.json`) as { version: string }).version]),
  );

const peerVersions = (): Record<string, string> =>
  (json('bench/package.json') as { dependencies: Record<string, string> }).dependencies;

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const measured = ['core', 'queue', 'producer', 'worker', 'bench', 'package-lock.json'];
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', ...measured) === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

/** @returns the file's name */
export async function writeResult(result: Result, publish: boolean): Promise<string> {
  const file = fileOf(result.name, publish);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  return fileURLToPath(file);
}

/** @returns undefined when there is none */
export async function readPublished(name: string): Promise<Result | undefined> {
  const text = await readFile(fileOf(name, true), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Result);
}

const fileOf = (name: string, published: boolean): URL =>
  new URL(`${published ? 'published/' : ''}${name}.json`, RESULTS);
