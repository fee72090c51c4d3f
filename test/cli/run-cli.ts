// Runs the real CLI as a process, in an empty folder and without the settings of whoever runs the tests.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';

const STOP_LIMIT_MS = 15_000;
export const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** All of its standard input. */
  input?: string | Buffer;
  /** More may come: its standard input does not end behind `input`. */
  keepOpen?: boolean;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Cli {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Waits until its standard output or error holds the text. */
  says(text: string, limitMs?: number): Promise<void>;
}

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts it; it is stopped when the test ends. */
export async function startCli(
  args: readonly string[],
  { env = {}, cwd, input = '', keepOpen = false }: CliOptions = {},
): Promise<Cli> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:WAYBILL_|REDIS_URL|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: cwd ?? (await emptyFolder()),
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  child.stdin.on('error', () => {}); // it may end without reading
  if (keepOpen) child.stdin.write(input);
  else child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...printed })));
  onTestFinished(async () => {
    child.kill('SIGTERM'); // dev takes down what it started
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(late);
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    kill: (signal) => void child.kill(signal),
    ended,
    says: (text, limitMs = 15_000) =>
      eventually(() => expect(printed.stdout + printed.stderr).toContain(text), limitMs),
  };
}

/** Runs it to its end on the tests' Redis. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const cli = await startCli(args, { ...options, env: { REDIS_URL: redisUrl(), ...options.env } });
  return cli.ended;
}

/** The documents of an ndjson output. */
export const documents = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line): Record<string, unknown> => JSON.parse(line));
