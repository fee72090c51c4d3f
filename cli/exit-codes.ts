// How the CLI ends, in one table: its exit codes, and which error means which.
import { CommanderError } from 'commander';
import { WaybillError, type WaybillErrorCode } from '../core/errors.ts';
import { printable } from '../core/envelope.ts';
import { withoutUserinfo } from '../core/redact.ts';
import { DemoError } from '../dev/demo/errors.ts';
import { PrivateRedisError } from '../dev/redis/errors.ts';
import { isAway } from '../queue/unavailable.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, redis: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** When a command ends with which code. */
export const EXIT_CODES: readonly { code: ExitCode; when: string }[] = [
  { code: EXIT.ok, when: 'done' },
  {
    code: EXIT.failed,
    when: "something failed: nothing found, a line not queued, a problem that doctor found, an output that cannot be written, the worker's grace time ran out",
  },
  { code: EXIT.usage, when: 'wrong usage or configuration' },
  { code: EXIT.redis, when: 'Redis is away, refuses, or is unfit' },
  {
    code: EXIT.interrupted,
    when: 'stopped before it was done: by Ctrl-C (the second one, for what drains at the first), or by an answer of No',
  },
];

export const EXIT_CODES_HELP = `
Exit codes:
${EXIT_CODES.map(({ code, when }) => `  ${String(code).padEnd(5)}${when}`).join('\n')}

Data goes to standard output, everything else to standard error.`;

const EXIT_OF: Record<WaybillErrorCode, ExitCode> = {
  INVALID_WRITE: EXIT.usage,
  INVALID_CONFIG: EXIT.usage,
  IDEMPOTENCY_CONFLICT: EXIT.failed,
  LETTER_EXISTS: EXIT.failed,
  LETTER_HANDLED: EXIT.failed,
  REPLAY_REFUSED: EXIT.failed,
  NOT_CONFIRMED: EXIT.failed,
  OPERATION_REFUSED: EXIT.failed,
  MASK_MISPLACED: EXIT.failed,
  WAIT_TIMEOUT: EXIT.failed,
  NOT_FOUND: EXIT.failed,
  QUEUE_UNAVAILABLE: EXIT.redis,
  QUEUE_REFUSED: EXIT.redis,
  NOT_REPLICATED: EXIT.redis,
  REDIS_UNFIT: EXIT.redis,
};

type CliErrorCode = 'USAGE' | 'FAILED' | 'CANCELLED';

const EXIT_OF_CLI: Record<CliErrorCode, ExitCode> = {
  USAGE: EXIT.usage,
  FAILED: EXIT.failed,
  CANCELLED: EXIT.interrupted,
};

/** What the CLI itself finds wrong. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.code = code;
  }
}

const MAX_UNEXPECTED = 500;

/** The exit code of an error and what a person is told; `said` is missing where commander has said it already. */
export function explainError(error: unknown): { exit: ExitCode; said?: string } {
  if (error instanceof CommanderError) return { exit: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WaybillError) return { exit: EXIT_OF[error.code], said: `${error.code}: ${message}` };
  if (error instanceof CliError) return { exit: EXIT_OF_CLI[error.code], said: `${error.code}: ${message}` };
  if (error instanceof DemoError) return { exit: EXIT.failed, said: `${error.code}: ${message}` };
  if (error instanceof PrivateRedisError) return { exit: EXIT.redis, said: `${error.code}: ${message}` };
  const safe = printable(withoutUserinfo(message), MAX_UNEXPECTED);
  if (error instanceof Error && error.name === 'ReplyError')
    return { exit: EXIT.redis, said: explainReply(error, safe) };
  const lost = lossOf(error);
  if (lost !== undefined) return { exit: EXIT.redis, said: `QUEUE_UNAVAILABLE: ${lost} Start Redis, or try again.` };
  return { exit: EXIT.failed, said: `UNEXPECTED: ${safe}` };
}

/** What to do about a refusal, by the first word of the reply. */
const TO_DO: Record<string, string> = {
  MOVED: 'It is a node of a Redis Cluster: give it as redis+cluster://host:port,…',
  OOM: 'Its memory is full: give it more, or wait until there is room.',
  MISCONF: 'It cannot save to its disk: see to that, then try again.',
};

function explainReply(error: Error, safe: string): string {
  const what = TO_DO[safe.split(' ', 1)[0] ?? ''];
  if (what === undefined && isAway(error)) return `QUEUE_UNAVAILABLE: Redis is away for a moment (${safe}). Try again.`;
  return `QUEUE_REFUSED: Redis refused a command (${safe}). ${what ?? 'Is it the right Redis, and may this user do that?'}`;
}

const NO_ANSWER = 'Redis did not answer a command in time.';
const LOST = 'The connection to Redis was lost before the command was done.';
/** The driver's errors by name, or by message: it gives two of them neither a name nor a code. */
const LOSSES: Record<string, string> = {
  'Command timed out': NO_ANSWER,
  'Connection is closed.': LOST,
  MaxRetriesPerRequestError: LOST,
  AbortError: LOST,
  ClusterAllFailedError: 'No node of the Redis Cluster answered.',
};

function lossOf(error: unknown): string | undefined {
  return error instanceof Error ? (LOSSES[error.name] ?? LOSSES[error.message]) : undefined;
}
