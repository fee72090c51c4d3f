// npm run mutation: mutation tests of core/. What follows `--` goes to Stryker, such as `--mutate core/decide.ts`.
// Stryker is no dependency of the project: what it needs (~180 packages) is installed beside this file, once.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const stryker = join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js');

function run(command: string, args: string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(stryker)) run('npm', ['ci', '--ignore-scripts'], here);
run(process.execPath, [stryker, 'run', join(here, 'stryker.config.js'), ...process.argv.slice(2)], join(here, '../..'));
