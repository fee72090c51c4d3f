// Runs one system command to its end: found on a given PATH, with a time limit, its complaint kept for the message.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { withoutUserinfo } from '../../core/redact.ts';

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const COMPLAINT_LINES = 3;

/** The first executable file of that name on `path`, or undefined. An empty PATH holds nothing, not even the current folder. */
export async function findOnPath(name: string, path: string | undefined): Promise<string | undefined> {
  for (const folder of (path ?? '').split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    const runs = await access(file, constants.X_OK).then(
      () => stat(file).then((found) => found.isFile()),
      () => false,
    );
    if (runs) return file;
  }
  return undefined;
}

export interface RunOptions {
  env: NodeJS.ProcessEnv;
  limitMs: number;
  cwd?: string;
  /** Kills the command. */
  signal?: AbortSignal | undefined;
}

/**
 * @returns its standard output
 * @throws one line that names the command and how it ended, its exit code as `cause`; the signal's reason once it is aborted
 */
export function run(command: string, args: string[], { limitMs, ...rest }: RunOptions): Promise<string> {
  const settings = { ...rest, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
  return new Promise((resolve, reject) => {
    execFile(command, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (rest.signal?.aborted) return reject(rest.signal.reason);
      const killed = error.killed ? `did not end within ${limitMs} ms` : error.signal && `was ended by ${error.signal}`;
      const how = killed ? ` ${killed}` : `: ${lastLines(stderr) || error.message}`;
      // A mirror or a proxy may be configured as http://user:password@host, and apt repeats it.
      const message = withoutUserinfo([command, ...args].join(' ') + how);
      reject(new Error(message, { cause: killed ? undefined : error.code }));
    });
  });
}

/** For `catch`: goes on with `instead` when a command ended by itself and said no; one that was interrupted has said nothing. */
export function whenRefused<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && typeof error.cause === 'number') return instead;
    throw error;
  };
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-COMPLAINT_LINES).join('; ');
