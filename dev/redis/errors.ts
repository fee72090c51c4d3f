// What can go wrong before there is a private Redis. Branch on `code`; the message says what to do.

type PrivateRedisErrorCode =
  | 'REDIS_SERVER_MISSING' // no redis-server on this machine, and none could be fetched
  | 'REDIS_START_FAILED' // there is one, but it did not come up; the message ends with its own last words
  | 'REDIS_FOLDER_BUSY'; // another process holds the data folder and does not answer

export class PrivateRedisError extends Error {
  readonly code: PrivateRedisErrorCode;

  constructor(code: PrivateRedisErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PrivateRedisError';
    this.code = code;
  }
}

/** The system's code of an error (`ECONNREFUSED`), if it has one. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
