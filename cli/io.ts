// What a command may touch of the process it runs in. run.ts makes it; no command reads `process`.
import type { Readable, Writable } from 'node:stream';
import type { Stopping } from './signals.ts';

export interface Io {
  env: Record<string, string | undefined>;
  cwd: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  /** Takes signals over from here on: they ask the command to stop. */
  untilStopped(): Stopping;
  /**
   * From here on a reader of standard output that is gone ends the process, quietly: `waybill find … | head -1`. For
   * commands that only read; whatever changes something goes on without printing.
   */
  endWithReader(): void;
  /** To the process that started this one with a channel; nothing where there is none. */
  tellParent(message: string): void;
  /** The program and the file that start this CLI once more. */
  self: { program: string; file: string };
}

/** Waits for a slow reader, so that a stream of any length takes little memory; to one that is gone it writes nothing. */
export async function write(out: Writable, text: string): Promise<void> {
  answered.add(out);
  // Neither `drain` nor `error` comes any more from a stream that has failed.
  if (out.destroyed || out.errored || out.write(text)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      for (const event of EVENTS) out.off(event, go);
      resolve();
    };
    for (const event of EVENTS) out.on(event, go);
  });
}

const EVENTS = ['drain', 'close', 'error'];
const answered = new WeakSet<Writable>();

/** Whether data was written there. A worker's log, whose lines may be lost, is none. */
export const hasAnswers = (out: Writable): boolean => answered.has(out);

/** One line for a person. */
export function say(io: Pick<Io, 'stderr'>, line: string): void {
  io.stderr.write(`${line}\n`);
}
