// One data folder, one server: two on the same append-only file would destroy it. The folder's record says which server
// writes here and who started it, so that a server left behind by a crash is found and taken over.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, PrivateRedisError } from './errors.ts';
import { identify } from './inquiry.ts';
import { identityOf, isStillRunning, type ProcessIdentity } from './running.ts';

const ANSWER_LIMIT_MS = 5_000; // covers a server between its spawn and its listen
const POLL_MS = 50;

/** What is known before there is a server. Written first: a program killed just after the spawn has noted no more. */
export interface ServerIntent {
  port: number;
  /** The process that started it, or took it over. */
  owner: number;
  ownerStart: number | undefined;
}

export interface ServerRecord extends ServerIntent {
  pid: number;
  pidStart: number | undefined;
}

/** This process as the owner of a server on that port. */
export function intentFor(port: number): ServerIntent {
  const { pid, start } = identityOf(process.pid);
  return { port, owner: pid, ownerStart: start };
}

export function recordFor(intent: ServerIntent, pid: number): ServerRecord {
  return { ...intent, pid, pidStart: identityOf(pid).start };
}

export const processOf = ({ pid, pidStart }: ServerRecord): ProcessIdentity => ({ pid, start: pidStart });

/** Whether the process that started it still runs and is not this one. */
export function isOwnedByAnother({ owner, ownerStart }: ServerIntent): boolean {
  return owner !== process.pid && isStillRunning({ pid: owner, start: ownerStart });
}

const recordFile = (dir: string): string => join(dir, 'redis.json');

export async function writeRecord(dir: string, record: ServerIntent | ServerRecord): Promise<void> {
  const file = recordFile(dir);
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
}

/** Only under the lock: another process may have written its own meanwhile. */
export async function removeRecord(dir: string): Promise<void> {
  await rm(recordFile(dir), { force: true });
}

async function readRecord(dir: string): Promise<(ServerIntent & Partial<ServerRecord>) | undefined> {
  const text = readFile(recordFile(dir), 'utf8');
  // Written by rename: what cannot be read was cut short by a power loss, which the server has not survived either.
  const found = Object(await text.then(JSON.parse).catch(() => undefined));
  const number = (name: keyof ServerRecord): number | undefined =>
    Number.isInteger(found[name]) && found[name] > 0 ? found[name] : undefined;
  const [port, owner, pid] = [number('port'), number('owner'), number('pid')];
  if (port === undefined || owner === undefined) return undefined;
  const intent = { port, owner, ownerStart: number('ownerStart') };
  return pid === undefined ? intent : { ...intent, pid, pidStart: number('pidStart') };
}

/**
 * The live server of this folder, if there is one. A record alone proves nothing (ports are used again, and so are
 * process ids): the server itself must name the folder, and says which process it is.
 * @throws PrivateRedisError REDIS_FOLDER_BUSY when what may be this server does not answer
 */
export async function findLiveServer(dir: string, signal?: AbortSignal): Promise<ServerRecord | undefined> {
  const record = await readRecord(dir);
  if (!record) return undefined;
  const { port, owner, ownerStart, pid, pidStart } = record;
  const deadline = performance.now() + ANSWER_LIMIT_MS;
  const mayRun = () => pid === undefined || isStillRunning({ pid, start: pidStart });
  while (mayRun()) {
    signal?.throwIfAborted();
    try {
      const server = await identify(port);
      return server.dir === dir ? recordFor({ port, owner, ownerStart }, server.pid) : undefined;
    } catch (cause) {
      if (performance.now() > deadline) {
        // Nobody listens, and no process is known to be the server.
        if (codeOf(cause) === 'ECONNREFUSED' && pidStart === undefined) return undefined;
        throw new PrivateRedisError('REDIS_FOLDER_BUSY', unanswered(dir, port, pid), cause);
      }
      await sleep(POLL_MS);
    }
  }
  return undefined;
}

function unanswered(dir: string, port: number, pid: number | undefined): string {
  const file = recordFile(dir);
  return pid === undefined
    ? `Port ${port} does not answer; it may be the redis-server of ${dir}, whose program was killed while it started it. ` +
        `End the process on that port; if it is another program, delete ${file}. Then start again.`
    : `The redis-server of ${dir} (process ${pid}, port ${port}) runs and does not answer. ` +
        `End it, then start again; if process ${pid} is another program, delete ${file} first.`;
}
