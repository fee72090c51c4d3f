// Builds the page into a folder, in one step for whoever reads it: a server or another build meets the old one or the new
// one. Each file stands there compressed too, so that the server never has to.
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WEB = join(ROOT, 'dashboard/web');
/** Where a checkout's server looks for it. */
export const PAGE = join(ROOT, 'dashboard/page');
/** What the page is made of. */
const SOURCES = ['dashboard/web', 'dashboard/api/contract', 'dashboard/build', 'core', 'package-lock.json'];
/** Below it a packet is a packet. */
const MIN_COMPRESSED_BYTES = 1024;
const COMPRESSED = /\.(?:js|css|svg|html|json)$/;

/** @throws Error what vite says is wrong with the page */
export async function buildPage(folderName = PAGE): Promise<void> {
  // Vite would take a relative one from the page's sources.
  const to = resolve(folderName);
  const folder = await mkdtemp(`${to}-new-`);
  try {
    const configFile = join(WEB, 'vite.config.ts');
    const { build } = await import('vite');
    // mkdtemp makes it for its maker alone.
    await chmod(folder, 0o755);
    await build({ configFile, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
    await compress(folder);
    const old = `${folder}-old`;
    await rename(to, old).catch(() => {});
    await rename(folder, to);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Whether something that the page is made of is newer than the page. */
export async function isStale(): Promise<boolean> {
  const built = await stat(join(PAGE, 'index.html')).catch(() => undefined);
  if (!built) return true;
  for (const source of SOURCES) {
    for (const file of await filesIn(join(ROOT, source))) if ((await stat(file)).mtimeMs > built.mtimeMs) return true;
  }
  return false;
}

async function compress(folder: string): Promise<void> {
  for (const file of await filesIn(folder)) {
    if (!COMPRESSED.test(file) || file.endsWith('index.html')) continue;
    const bytes = await readFile(file);
    if (bytes.length < MIN_COMPRESSED_BYTES) continue;
    await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes));
    await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }
}

async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
