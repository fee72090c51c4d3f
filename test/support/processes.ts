// Runs a program of ours as a process of its own, to be read, killed and waited for. None outlives its test.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const LINE_LIMIT_MS = 10_000;

export interface NodeProcess {
  readonly pid: number;
  /** Its standard output so far, line by line. */
  readonly lines: readonly string[];
  /** Its standard error so far. */
  errorOutput(): string;
  /** The first line, past or to come, that holds the text or matches; rejects at the limit, or when the process ends without it. */
  waitForLine(match: string | RegExp, limitMs?: number): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once it has ended and all its output has been read. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts `node file …args` with the environment of the tests and `env` on top. */
export function spawnNode(
  file: string,
  { args = [], env = {} }: { args?: string[]; env?: NodeJS.ProcessEnv } = {},
): NodeProcess {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`node ${file} could not be started`);

  const lines: string[] = [];
  const errorChunks: string[] = [];
  const watchers = new Set<() => void>();
  const notify = () => watchers.forEach((watch) => watch());
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    notify();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => errorChunks.push(chunk));
  let ended: string | undefined;
  const exited: NodeProcess['exited'] = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      ended = signal ?? `code ${code}`;
      resolve({ code, signal });
      notify();
    });
  });

  onTestFinished(async () => {
    child.kill('SIGKILL'); // by its own id; nothing happens when it has ended
    await exited;
  });

  return {
    pid,
    lines,
    exited,
    errorOutput: () => errorChunks.join(''),
    kill: (signal) => void child.kill(signal),
    waitForLine: (match, limitMs = LINE_LIMIT_MS) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          watchers.delete(watch);
          act();
        };
        const fail = (how: string) => {
          const output = `stdout:\n${lines.join('\n')}\nstderr:\n${errorChunks.join('')}`;
          settle(() => reject(new Error(`${file} ${how} without a line for ${String(match)}\n${output}`)));
        };
        const watch = () => {
          const found = lines.find((line) => (typeof match === 'string' ? line.includes(match) : match.test(line)));
          if (found !== undefined) settle(() => resolve(found));
          else if (ended !== undefined) fail(`ended (${ended})`);
        };
        const timer = setTimeout(() => fail(`ran ${limitMs} ms`), limitMs);
        watchers.add(watch);
        watch();
      }),
  };
}
