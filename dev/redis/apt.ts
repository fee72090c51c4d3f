// The distribution's redis-server without installing it: apt downloads the packages, dpkg-deb unpacks them into a folder.
// It needs no root and changes nothing on the system: package lists, where they are missing, go into a private folder too.
import { appendFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findOnPath, run, type RunOptions, whenRefused } from './command.ts';

const PACKAGES = ['redis-server', 'redis-tools'];
/** What they need beyond a minimal system (Debian 12, Ubuntu 24.04); used only where apt cannot work it out itself. */
const USUAL_LIBRARIES =
  'liblua5.1-0 lua-cjson lua-bitop liblzf1 libjemalloc2 libatomic1 libssl3 libssl3t64 libsystemd0'.split(' ');

const QUICK_LIMIT_MS = 30_000;
const DOWNLOAD_LIMIT_MS = 120_000;
const REMOVAL_RETRIES = 5; // what a killed apt-get had started may write for a moment yet

interface Unpacking {
  /** Appears whole or not at all. */
  root: string;
  /** Those of Redis when left out. */
  packages?: readonly string[];
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal: AbortSignal | undefined;
}

type Surroundings = Omit<RunOptions, 'limitMs'>;

/** Rejects with the reason when this is not Debian or Ubuntu, or when their archive cannot be reached. */
export async function unpackDistributionPackage(unpacking: Unpacking): Promise<void> {
  const { root, packages = PACKAGES, env, log, signal } = unpacking;
  if (!(await findOnPath('apt-get', env.PATH)) || !(await findOnPath('dpkg-deb', env.PATH))) {
    throw new Error('this system has no apt-get and dpkg-deb');
  }
  log(`fetching the distribution's ${packages[0]} package into ${root} (once; the system is left alone)`);
  await mkdir(dirname(root), { recursive: true });
  const work = await mkdtemp(`${root}.`);
  try {
    const debs = join(work, 'debs');
    const tree = join(work, 'tree');
    await Promise.all([mkdir(debs), mkdir(tree)]);
    const config = await writeAptConfig(work, { env, signal });
    await downloadWithOrWithoutLists(packages, config, {
      cwd: debs,
      env: { ...env, LC_ALL: 'C', APT_CONFIG: config },
      signal,
    });
    for (const deb of await readdir(debs)) {
      await run('dpkg-deb', ['-x', join(debs, deb), tree], { env, signal, limitMs: QUICK_LIMIT_MS });
    }
    signal?.throwIfAborted();
    // Two runs may get here at once. The loser of the second rename leaves the winner's tree in place: they are the same.
    await rename(root, join(work, 'outdated')).catch(() => {});
    await rename(tree, root).catch(async (error: unknown) => {
      if (!(await readdir(root).catch(() => undefined))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: REMOVAL_RETRIES });
  }
}

/**
 * The system's own apt configuration (mirrors, proxy) without its update hooks: Docker's images delete the system's
 * package cache in one, desktops rebuild their catalogue. A list cannot be emptied by `-o`, so the configuration is
 * dumped, filtered and read back in place of the original.
 */
async function writeAptConfig(work: string, surroundings: Surroundings): Promise<string> {
  const folders = ['no-parts', 'cache/archives/partial'];
  await Promise.all(folders.map((folder) => mkdir(join(work, folder), { recursive: true })));
  const system = await run('apt-config', ['dump'], { ...surroundings, limitMs: QUICK_LIMIT_MS });
  const lines = [
    ...system.split('\n').filter((line) => !/^APT::Update::(?:Pre|Post)-Invoke/i.test(line)),
    `Dir::Etc::main "${work}/no-main";`,
    `Dir::Etc::parts "${work}/no-parts";`,
    `Dir::Cache "${work}/cache";`,
    'APT::Sandbox::User "root";', // as root apt would become _apt, which may not write here
    'Acquire::Retries "1";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
  ];
  const file = join(work, 'apt.conf');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

/** A bare image has no package lists and an old machine has stale ones: both are told by the first download failing. */
async function downloadWithOrWithoutLists(
  packages: readonly string[],
  config: string,
  surroundings: Surroundings,
): Promise<void> {
  try {
    await download(packages, surroundings);
  } catch (refusal) {
    whenRefused(undefined)(refusal);
    const lists = join(dirname(config), 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await appendFile(config, `Dir::State::lists "${lists}";\nAPT::Update::Error-Mode "any";\n`);
    const update = run('apt-get', ['-qq', 'update'], { ...surroundings, limitMs: DOWNLOAD_LIMIT_MS });
    // One broken repository of many fails the update, and need not matter. If it did, its complaint is the reason to give.
    const complaint: unknown = await update.then(
      () => undefined,
      (error: unknown) => whenRefused(error)(error),
    );
    await download(packages, surroundings).catch((error: unknown) => Promise.reject(complaint ?? error));
  }
}

async function download(packages: readonly string[], surroundings: Surroundings): Promise<void> {
  const fetch = (names: readonly string[]) =>
    run('apt-get', ['-qq', 'download', ...names], { ...surroundings, limitMs: DOWNLOAD_LIMIT_MS });
  await fetch(packages);
  // apt's own answer to "what would have to be installed here", so that the list follows the release.
  const simulate = ['--simulate', '--no-install-recommends', 'install', ...packages];
  const planning = run('apt-get', simulate, { ...surroundings, limitMs: QUICK_LIMIT_MS });
  const plan = await planning.catch(whenRefused(''));
  const planned = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const libraries = plan === '' ? USUAL_LIBRARIES : planned.filter((name) => !packages.includes(name));
  // A name may be missing in a release. Whether the server runs without it is decided by starting it.
  for (const name of libraries) await fetch([name]).catch(whenRefused(''));
}
