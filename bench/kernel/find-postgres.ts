// Finds a PostgreSQL to run: that of the system, else the distribution's package, fetched once and unpacked.
import { mkdir, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findOnPath, run } from '../../dev/redis/command.ts';
import { unpackDistributionPackage } from '../../dev/redis/apt.ts';

const BINARIES = 'usr/lib/postgresql';
const ASK_LIMIT_MS = 30_000;
/** Where a server can read that runs as nobody, which a home folder is not. */
const CACHE = join(tmpdir(), `waybill-bench-postgresql-${process.getuid?.() ?? 'user'}`);

export interface Postgres {
  /** The folder of initdb and postgres. */
  bin: string;
  env: NodeJS.ProcessEnv;
}

/** @throws when there is none, and none can be fetched */
export async function findPostgres(log: (line: string) => void): Promise<Postgres> {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C' };
  const installed =
    (await binariesIn('/')) ?? (await findOnPath('initdb', env.PATH).then((file) => file && dirname(file)));
  if (installed) return { bin: installed, env };
  await mkdir(CACHE, { recursive: true, mode: 0o755 });
  // Programs are started from here: a folder that somebody else made is not to be trusted.
  if ((await stat(CACHE)).uid !== process.getuid?.()) throw new Error(`${CACHE} belongs to somebody else`);
  const root = join(CACHE, 'unpacked');
  if (!(await binariesIn(root))) {
    const depends = await run('apt-cache', ['depends', 'postgresql'], { env, limitMs: ASK_LIMIT_MS });
    const server = /Depends: (postgresql-\d+)/.exec(depends)?.[1] ?? 'postgresql';
    await unpackDistributionPackage({ root, packages: [server], env, log, signal: undefined });
  }
  const bin = await binariesIn(root);
  if (!bin)
    throw new Error(
      "There is no PostgreSQL here, and the distribution's package has none: leave its arms out by --arms.",
    );
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const libraries = new Set(files.filter(({ name }) => /\.so(?:\.|$)/.test(name)).map(({ parentPath }) => parentPath));
  return { bin, env: { ...env, LD_LIBRARY_PATH: [...libraries].join(':') } };
}

/** As Debian and Ubuntu lay it out; of several versions the newest. */
async function binariesIn(root: string): Promise<string | undefined> {
  const versions = await readdir(join(root, BINARIES)).catch(() => []);
  const newest = versions.toSorted((a, b) => Number(b) - Number(a));
  const folders = newest.map((version) => join(root, BINARIES, version, 'bin'));
  const found = await findOnPath('initdb', folders.join(':'));
  return found && dirname(found);
}
