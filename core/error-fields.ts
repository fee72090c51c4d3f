// An error as a log line may hold it.
import { withoutUserinfo } from './redact.ts';

const MAX_MESSAGE = 300;

/** Name, code and message of an error, without userinfo, and nothing else: an ioredis error carries its arguments. */
export function errorFields(error: unknown): Record<string, unknown> {
  const { name, code, message } = (error ?? {}) as { name?: unknown; code?: unknown; message?: unknown };
  return {
    name: text(name, 'Error').slice(0, 64),
    ...(typeof code === 'string' && { code: code.slice(0, 64) }),
    message: withoutUserinfo(text(message, '')).slice(0, MAX_MESSAGE),
  };
}

const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
