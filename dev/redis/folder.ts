// One data folder, one server: two on the same append-only file would destroy it. The folder's record says which server
// writes here and who started it, so that a server left behind by a crash is found and taken over.
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, PrivateRedisError } from './errors.ts';
import { identify } from './inquiry.ts';
import { isRunning } from './running.ts';

const LOCK_LIMIT_MS = 20_000; // longer than one start may take
const ANSWER_LIMIT_MS = 2_000; // covers a server between its spawn and its listen
const POLL_MS = 50;

export interface ServerRecord {
  pid: number;
  port: number;
  /** The process that started it, or took it over. */
  owner: number;
}

const recordFile = (dir: string): string => join(dir, 'redis.json');

export async function writeRecord(dir: string, record: ServerRecord): Promise<void> {
  const file = recordFile(dir);
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
}

async function readRecord(dir: string): Promise<ServerRecord | undefined> {
  const text = readFile(recordFile(dir), 'utf8');
  // Written by rename: what cannot be read was cut short by a power loss, which the server has not survived either.
  const { pid, port, owner } = Object(await text.then(JSON.parse).catch(() => undefined));
  return [pid, port, owner].every((number) => Number.isInteger(number) && number > 0)
    ? { pid, port, owner }
    : undefined;
}

/** Leaves the record of a later server in place. */
export async function removeRecord(dir: string, pid: number): Promise<void> {
  if ((await readRecord(dir))?.pid === pid) await rm(recordFile(dir), { force: true });
}

/**
 * The live server of this folder, if there is one. A record alone proves nothing (process ids and ports are used again):
 * the server itself must name the folder and the id.
 * @throws PrivateRedisError REDIS_FOLDER_BUSY when a process of that id holds the port and does not answer
 */
export async function findLiveServer(dir: string): Promise<ServerRecord | undefined> {
  const record = await readRecord(dir);
  if (!record) return undefined;
  const deadline = performance.now() + ANSWER_LIMIT_MS;
  while (isRunning(record.pid)) {
    try {
      const server = await identify(record.port);
      return server.pid === record.pid && server.dir === dir ? record : undefined;
    } catch (cause) {
      if (performance.now() > deadline) {
        if (codeOf(cause) === 'ECONNREFUSED') return undefined;
        const who = `The redis-server of ${dir} (process ${record.pid}, port ${record.port})`;
        throw new PrivateRedisError('REDIS_FOLDER_BUSY', `${who} runs and does not answer: end it first.`, cause);
      }
      await sleep(POLL_MS);
    }
  }
  return undefined;
}

/** Lets one process at a time look for the folder's server and start it. */
export async function withFolderLocked<T>(dir: string, start: () => Promise<T>): Promise<T> {
  const file = join(dir, 'starting.lock');
  const deadline = performance.now() + LOCK_LIMIT_MS;
  while (!(await tryLock(file))) {
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (holder > 0 && !isRunning(holder)) await rm(file, { force: true });
    else if (performance.now() > deadline) {
      throw new PrivateRedisError('REDIS_FOLDER_BUSY', `Process ${holder} is starting Redis in ${dir} (${file}).`);
    } else await sleep(POLL_MS);
  }
  try {
    return await start();
  } finally {
    await rm(file, { force: true });
  }
}

/** A hard link appears with its content, or not at all: nobody reads a lock without a holder. */
async function tryLock(file: string): Promise<boolean> {
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, String(process.pid));
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
