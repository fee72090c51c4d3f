// Lets one process at a time look for a folder's server and start it, also when the one before was killed inside.
// Locks are numbered; the highest counts, and an empty one is released. With a single file, of several that find it stale
// a slow one removes the lock that a quick one has just made: no call removes a file only if its content is still this.
// A number is made once (link fails when it exists), and who makes one too late sees a higher one and steps back.
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, PrivateRedisError } from './errors.ts';
import { identityOf, isStillRunning, type ProcessIdentity } from './running.ts';

const LOCK_LIMIT_MS = 20_000; // longer than one start may take
const POLL_MS = 50;

const lockFile = (dir: string, number: number): string => join(dir, `starting.lock.${number}`);

/**
 * @param signal ends the waiting, not what runs inside
 * @throws PrivateRedisError REDIS_FOLDER_BUSY when a running process does not leave in time
 */
export async function withFolderLocked<T>(dir: string, inside: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const file = await lock(dir, signal);
  try {
    return await inside();
  } finally {
    await truncate(file).catch(() => {}); // the folder may be gone; nothing else is worth losing a started server for
  }
}

async function lock(dir: string, signal: AbortSignal | undefined): Promise<string> {
  const deadline = performance.now() + LOCK_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const newest = Math.max(0, ...(await lockNumbers(dir)));
    const holder = await holderOf(lockFile(dir, newest));
    if (!holder || !isStillRunning(holder)) {
      if (await tryLock(dir, newest + 1)) return lockFile(dir, newest + 1);
    } else if (performance.now() > deadline) {
      throw new PrivateRedisError(
        'REDIS_FOLDER_BUSY',
        `Process ${holder.pid} has been starting Redis in ${dir} for ${LOCK_LIMIT_MS / 1000} s. ` +
          `Wait for it or end it, then start again; if it is another program, delete ${lockFile(dir, newest)} first.`,
      );
    } else await sleep(POLL_MS);
  }
}

async function lockNumbers(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names.map((name) => Number(/^starting\.lock\.(\d+)$/.exec(name)?.[1] ?? 0));
}

/** Undefined when it is released, or outdated and removed. */
async function holderOf(file: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  const [pid = 0, start] = text.split(' ').map(Number);
  return pid > 0 ? { pid, start } : undefined;
}

async function tryLock(dir: string, number: number): Promise<boolean> {
  if (!(await make(lockFile(dir, number)))) return false;
  const others = await lockNumbers(dir);
  if (others.some((other) => other > number)) {
    await rm(lockFile(dir, number), { force: true });
    return false;
  }
  // The one before stays: no number is seen to be free while the folder is being read.
  const outdated = others.filter((other) => other > 0 && other < number - 1);
  await Promise.all(outdated.map((other) => rm(lockFile(dir, other), { force: true })));
  return true;
}

/** A hard link appears with its content, or not at all: nobody reads a lock without a holder. */
async function make(file: string): Promise<boolean> {
  const own = `${file}.${randomUUID()}`;
  const { pid, start } = identityOf(process.pid);
  await writeFile(own, start === undefined ? `${pid}` : `${pid} ${start}`);
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}
