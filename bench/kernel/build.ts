// What the measured processes run: the tree as it stands, built. Types stripped at load time would cost each arm memory
// that no user pays.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of this run: another may go on beside it. */
const OUT = join(ROOT, `.waybill/bench-${process.pid}`);
const LIMIT_MS = 120_000;

/** It is gone when this process ends. */
export function build(): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  process.once('exit', () => rmSync(OUT, { recursive: true, force: true }));
  execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'bench/tsconfig.json'), '--outDir', OUT], {
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
}

/** @param file from the project's root, `.ts` */
export const built = (file: string): string => join(OUT, file.replace(/\.ts$/, '.js'));
