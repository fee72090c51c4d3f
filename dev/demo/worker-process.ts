// The demo's worker: a process of its own, in a process group of its own, so that a Ctrl-C in the terminal does not reach
// it past us. It stops by itself when the channel to this process closes.
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './errors.ts';

const LOG_TAIL_LINES = 5;

export interface WorkerProcess {
  readonly pid: number;
  /** Resolves once it serves; rejects with its last words when it ends before. */
  readonly started: Promise<void>;
  /** Resolves with a sentence when it ends, for whatever reason. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL after limitMs or when force is aborted. */
  stop(limitMs: number, force: AbortSignal): Promise<void>;
}

/** @param command program and arguments */
export async function startWorkerProcess(
  [program = '', ...args]: readonly string[],
  { logFile, env }: { logFile: string; env: NodeJS.ProcessEnv },
): Promise<WorkerProcess> {
  const log = await open(logFile, 'a', 0o600);
  const logStartBytes = (await log.stat()).size;
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'] });
  await log.close();
  const ended = endOf(child);
  const started = Promise.race([
    new Promise<void>((resolve) => child.once('message', () => resolve())),
    ended.then(async (how) => {
      const lines = (await readFile(logFile)).subarray(logStartBytes).toString().trim().split('\n');
      throw new DemoError(`the worker ${how}:\n${lines.slice(-LOG_TAIL_LINES).join('\n')}`);
    }),
  ]);
  started.catch(() => {}); // heard by whoever awaits it
  return {
    pid: child.pid ?? 0,
    started,
    ended,
    stop: async (limitMs, force) => {
      child.kill('SIGTERM');
      const kill = (): void => void child.kill('SIGKILL');
      if (force.aborted) kill();
      force.addEventListener('abort', kill);
      const over = new AbortController();
      await Promise.race([ended, sleep(limitMs, undefined, { signal: over.signal }).catch(() => {})]);
      over.abort();
      force.removeEventListener('abort', kill);
      kill(); // nothing happens when it has ended
      await ended;
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) => resolve(`ended (${signal ?? `code ${code}`})`));
  });
}
