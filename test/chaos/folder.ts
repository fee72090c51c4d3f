// The folders of campaigns: Redis' files, logs, and what was told at the end.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isThere } from './redis-server.ts';

const FOLDER_PREFIX = 'waybill-chaos-';
const OWNER_FILE = 'owner.pid';

/** Of this process, after those that their processes left are gone. */
export async function makeFolder(): Promise<string> {
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  await writeFile(join(folder, OWNER_FILE), String(process.pid));
  return folder;
}

/** @param keep for whoever looks into what went wrong: it has no owner any more */
export const removeFolder = (folder: string, keep: boolean): Promise<void> =>
  rm(keep ? join(folder, OWNER_FILE) : folder, { recursive: true, force: true });

/** Removes the folders of campaigns whose process is gone; one that was kept has no owner any more. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const folder = join(tmpdir(), name);
    const owner = Number(await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => 'NaN'));
    if (Number.isInteger(owner) && !isThere(owner)) await rm(folder, { recursive: true, force: true });
  }
}
