// How the CLI ends, in one table: its exit codes, and which error means which.
import { CommanderError } from 'commander';
import { WaybillError, type WaybillErrorCode } from '../core/errors.ts';
import { printable } from '../core/envelope.ts';
import { withoutUserinfo } from '../core/redact.ts';
import { DemoError } from '../dev/demo/errors.ts';
import { PrivateRedisError } from '../dev/redis/errors.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, redis: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    something failed: nothing found, a line not queued, the worker's grace time ran out
  2    wrong usage or configuration
  3    Redis is away, refuses, or is unfit
  130  ended at once by a second signal

Data goes to standard output, everything else to standard error.`;

const EXIT_OF: Record<WaybillErrorCode, ExitCode> = {
  INVALID_WRITE: EXIT.usage,
  INVALID_CONFIG: EXIT.usage,
  IDEMPOTENCY_CONFLICT: EXIT.failed,
  LETTER_EXISTS: EXIT.failed,
  NOT_FOUND: EXIT.failed,
  QUEUE_UNAVAILABLE: EXIT.redis,
  QUEUE_REFUSED: EXIT.redis,
  REDIS_UNFIT: EXIT.redis,
};

/** What the CLI itself finds wrong. */
export class CliError extends Error {
  readonly code: 'USAGE' | 'FAILED';

  constructor(code: 'USAGE' | 'FAILED', message: string, cause?: unknown) {
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
  if (error instanceof CliError)
    return { exit: error.code === 'USAGE' ? EXIT.usage : EXIT.failed, said: `${error.code}: ${message}` };
  if (error instanceof DemoError) return { exit: EXIT.failed, said: `${error.code}: ${message}` };
  if (error instanceof PrivateRedisError) return { exit: EXIT.redis, said: `${error.code}: ${message}` };
  const safe = printable(withoutUserinfo(message), MAX_UNEXPECTED);
  if (error instanceof Error && error.name === 'ReplyError') {
    const said = `QUEUE_REFUSED: Redis refused a command (${safe}). Is it the right Redis, and may this user do that?`;
    return { exit: EXIT.redis, said };
  }
  if (isRedisTrouble(error))
    return { exit: EXIT.redis, said: `QUEUE_UNAVAILABLE: Redis gave no answer (${safe}). Start it, or try again.` };
  return { exit: EXIT.failed, said: `UNEXPECTED: ${safe}` };
}

const REDIS_ERRORS = ['MaxRetriesPerRequestError', 'AbortError', 'ClusterAllFailedError'];
// ioredis gives these neither a name nor a code.
const REDIS_MESSAGES = ['Connection is closed.', 'Command timed out'];

function isRedisTrouble(error: unknown): boolean {
  return error instanceof Error && (REDIS_ERRORS.includes(error.name) || REDIS_MESSAGES.includes(error.message));
}
