// How far many writes have come: one line of standard error, drawn over itself. Why it is our own:
// docs/decisions/0014-a-progress-bar-of-our-own.md.
import { fstatSync, type Stats } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Io } from './io.ts';

const DRAW_EVERY_MS = 100;
const BAR_WIDTH = 24;
const USUAL_COLUMNS = 80;
const ERASE_TO_END = '\u001b[K';

export interface Progress {
  /** @param text what has been done, in a few words of ASCII */
  show(done: number, text: string): void;
  /** Leaves an empty line for what is said next, in between or at the end. */
  clear(): void;
}

interface ProgressOptions {
  /** What else is printed meanwhile waits for clear(): the answers may go to the same screen. */
  sharesScreen?: boolean;
  /** Nothing is drawn before `performance.now()` has come so far. */
  notBefore?: number;
}

/**
 * @param total in the unit of `done`: bytes, letters; undefined where the input does not say: then it only counts
 * @returns undefined where nobody watches, or where the answers may come out on the same screen
 */
export function startProgress(
  io: Pick<Io, 'env' | 'stdin' | 'stdout' | 'stderr'>,
  label: string,
  total: number | undefined,
  { sharesScreen = false, notBefore = 0 }: ProgressOptions = {},
): Progress | undefined {
  const { stderr, env } = io;
  const watched = stderr.isTTY === true && !env.CI && env.TERM !== 'dumb';
  if (!watched || !(sharesScreen || isKeptAway(io.stdout))) return undefined;
  let drawnAt = -Infinity;
  let stands = false;
  return {
    show(done, text) {
      const now = performance.now();
      if (now < notBefore || now - drawnAt < DRAW_EVERY_MS) return;
      drawnAt = now;
      stands = true;
      const share = total ? Math.min(1, done / total) : undefined;
      const bar = share === undefined ? '' : '='.repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '.');
      const percent = share === undefined ? '' : ` ${String(Math.floor(share * 100)).padStart(3)} %  `;
      // One column less than there are: a line that wraps could not be drawn over.
      const room = ((stderr as { columns?: number }).columns || USUAL_COLUMNS) - 1;
      const plain = `${label}  ${bar}${percent}${text}`.slice(0, room);
      stderr.write(`\r${plain.replace(/=+/, (part) => styleText('green', part, { stream: stderr }))}${ERASE_TO_END}`);
    },
    clear() {
      if (stands) stderr.write(`\r${ERASE_TO_END}`);
      stands = false;
    },
  };
}

/** Into a file or /dev/null: a terminal shows the answers themselves, and behind a pipe may stand one (`| jq`). */
function isKeptAway(stdout: Writable & { isTTY?: boolean }): boolean {
  const stats = statsOf(stdout);
  return stdout.isTTY !== true && stats !== undefined && !stats.isFIFO() && !stats.isSocket();
}

/** How much there is to read, where that is known: of a regular file. */
export function bytesIn(input: Readable): number | undefined {
  const stats = statsOf(input);
  return stats?.isFile() ? stats.size : undefined;
}

function statsOf(stream: object): Stats | undefined {
  const { fd } = stream as { fd?: unknown };
  try {
    return typeof fd === 'number' ? fstatSync(fd) : undefined;
  } catch {
    return undefined;
  }
}
