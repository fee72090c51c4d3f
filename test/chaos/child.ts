// A process of the campaign's own, to be killed: it says `ready` over its channel and logs to a file.
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const READY_LIMIT_MS = 60_000;

export interface Child {
  readonly pid: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** False once it has ended. */
  readonly alive: boolean;
  kill(signal: NodeJS.Signals): void;
  /** The facts that it has told so far, by name. */
  readonly told: Readonly<Record<string, unknown>>;
  /** What it says over its channel. */
  onMessage(listen: (message: unknown) => void): void;
  send(message: object): void;
}

export interface ChildOptions {
  env: Record<string, string>;
  /** Where its output goes, appended. */
  logFile: string;
  execArgv?: readonly string[];
}

/** @param cacheDir where Node keeps what it compiled: thousands of starts are quicker by half */
export async function startChild(file: string, options: ChildOptions, cacheDir: string): Promise<Child> {
  const child = spawn(file, options, cacheDir);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${file} was not ready within ${READY_LIMIT_MS} ms; see ${options.logFile}`));
    }, READY_LIMIT_MS);
    child.onMessage((message) => {
      if (message !== 'ready') return;
      clearTimeout(timer);
      resolve();
    });
    void child.exited.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`${file} ended (${signal ?? code}) before it was ready; see ${options.logFile}`));
    });
  });
  return child;
}

function spawn(file: string, { env, logFile, execArgv = [] }: ChildOptions, cacheDir: string): Child {
  const log = openSync(logFile, 'a');
  const child: ChildProcess = fork(file, [], {
    env: { ...process.env, NODE_COMPILE_CACHE: cacheDir, ...env },
    stdio: ['ignore', log, log, 'ipc'],
    execArgv: [...execArgv],
  });
  closeSync(log);
  const told: Record<string, unknown> = {};
  child.on('message', (message) => {
    if (typeof message === 'object') Object.assign(told, message);
  });
  let alive = true;
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => {
      alive = false;
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? 0,
    told,
    exited,
    get alive() {
      return alive;
    },
    kill: (signal) => void child.kill(signal),
    onMessage: (listen) => void child.on('message', listen),
    send: (message) => void (child.connected && child.send(message)),
  };
}
