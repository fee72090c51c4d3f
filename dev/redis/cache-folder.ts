// Where the unpacked package is kept between runs: the user's cache folder, or a temporary one that is his alone.
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** $XDG_CACHE_HOME/waybill or ~/.cache/waybill, else one under the system's temporary folder. */
export async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const base = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const candidates = [join(base, 'waybill'), join(tmpdir(), `waybill-${process.getuid?.() ?? 'user'}`)];
  for (const folder of candidates) if (await isOurs(folder)) return folder;
  return mkdtemp(join(tmpdir(), 'waybill-'));
}

// Programs are started from here: a folder that somebody else made (in /tmp anyone can) is not to be trusted.
async function isOurs(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
    return process.getuid === undefined || (await stat(folder)).uid === process.getuid();
  } catch {
    return false;
  }
}
