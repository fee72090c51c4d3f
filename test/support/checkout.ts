// A clean copy of the checkout, as a clone is: nothing built, the installed dependencies beside it. What a test builds or
// packs there leaves the dist/ of the checkout alone, and comes from the sources of this moment.
import { cp, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../dev/redis/command.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_IN_A_CLONE = new Set(['node_modules', 'dist', 'coverage', '.git', '.waybill']);
/** For one npm command on a busy machine with a slow registry. */
const NPM_LIMIT_MS = 120_000;
/** What npm tells the scripts it runs about them: it would mislead the npm that is started here. */
const ABOUT_THE_OUTER_SCRIPT = /^(?:npm_lifecycle_|npm_package_|npm_config_local_prefix$|INIT_CWD$|VITEST|NODE_ENV$)/i;

/** @returns its folder, which is the caller's to remove */
export async function copyCheckout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-checkout-'));
  await cp(ROOT, folder, { recursive: true, filter: (file) => !NOT_IN_A_CLONE.has(basename(file)) });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Without the settings of whoever runs the tests, save those of npm itself. */
export function plainEnvironment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !ABOUT_THE_OUTER_SCRIPT.test(name) && !/^(?:WAYBILL_|REDIS_URL|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...env };
}

/**
 * Runs the npm that runs the tests, else the one on the PATH.
 * @returns its standard output
 */
export function npm(args: string[], cwd: string): Promise<string> {
  const settings = { cwd, env: plainEnvironment(), limitMs: NPM_LIMIT_MS };
  const own = process.env.npm_execpath;
  return own !== undefined && basename(own) === 'npm-cli.js'
    ? run(process.execPath, [own, ...args], settings)
    : run('npm', args, settings);
}
