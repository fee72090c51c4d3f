// Who may write: the x-api-key header, and the four ways in which it can be refused.

import type { IncomingMessage } from 'node:http';
import type { ApiError } from './answer.ts';

/** Keys that stand for ones the API once knew, so that a test can meet each of its 401 codes. */
const FORMER_KEYS: ReadonlyMap<string, ApiError> = new Map([
  ['revoked-key', unauthorized('AUTH_REVOKED_API_KEY', 'The API key was revoked.')],
  ['expired-key', unauthorized('AUTH_EXPIRED_API_KEY', 'The API key has expired.')],
]);

/** The place of the right key among those that are valid, else the 401 to answer. */
export function authenticate(request: IncomingMessage, apiKeys: readonly string[]): number | ApiError {
  const given = request.headers['x-api-key'];
  if (typeof given !== 'string' || given === '') {
    return unauthorized('AUTH_MISSING_API_KEY', 'The x-api-key header is missing.');
  }
  const former = FORMER_KEYS.get(given);
  if (former !== undefined) return former;
  const index = apiKeys.indexOf(given);
  return index >= 0 ? index : unauthorized('AUTH_INVALID_API_KEY', 'The API key is not valid.');
}

function unauthorized(code: string, message: string): ApiError {
  return { status: 401, code, message };
}
