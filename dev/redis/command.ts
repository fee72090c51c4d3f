// Runs one system command to its end: found on a given PATH, with a time limit, its complaint kept for the message.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

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

/** @returns its standard output; rejects with one line that names the command and how it ended */
export function run(
  command: string,
  args: string[],
  options: { env: NodeJS.ProcessEnv; limitMs: number; cwd?: string },
): Promise<string> {
  const { limitMs, ...rest } = options;
  const settings = { ...rest, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
  return new Promise((resolve, reject) => {
    execFile(command, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const how = error.killed ? `did not end within ${limitMs} ms` : lastLines(stderr) || error.message;
      reject(new Error(`${[command, ...args].join(' ')}: ${withoutCredentials(how)}`, { cause: error.code }));
    });
  });
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-COMPLAINT_LINES).join('; ');

// A mirror or a proxy may be configured as http://user:password@host, and apt repeats it.
const withoutCredentials = (text: string): string => text.replaceAll(/\/\/[^/@\s]+@/g, '//');
