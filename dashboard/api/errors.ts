// Every error as the contract's own envelope. What was thrown on purpose says what it is; of anything else a person is
// told the request's id, and the log the rest.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { errorFields } from '../../core/error-fields.ts';
import { WaybillError, type WaybillErrorCode } from '../../core/errors.ts';
import { isAway } from '../../queue/unavailable.ts';
import type { ErrorEnvelope } from './contract/session.ts';
import { headersOf } from './headers.ts';

/** An error that a handler, or the guard, answers on purpose. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details?: Record<string, unknown>;
  readonly headers?: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    if (more.details) this.details = more.details;
    if (more.headers) this.headers = more.headers;
  }
}

export const notFound = (message: string): ApiError => new ApiError(404, 'NOT_FOUND', message);

const STATUS: Record<WaybillErrorCode, number> = {
  INVALID_WRITE: 400,
  IDEMPOTENCY_CONFLICT: 409,
  QUEUE_UNAVAILABLE: 503,
  NOT_REPLICATED: 503,
  QUEUE_REFUSED: 503,
  INVALID_CONFIG: 500,
  REDIS_UNFIT: 503,
  LETTER_EXISTS: 409,
  LETTER_HANDLED: 409,
  REPLAY_REFUSED: 409,
  NOT_CONFIRMED: 409,
  OPERATION_REFUSED: 409,
  MASK_MISPLACED: 400,
  WAIT_TIMEOUT: 504,
  NOT_FOUND: 404,
};

interface Told {
  status: number;
  code: string;
  message: string;
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message, details, headers } = told(error);
  if (status >= 500) request.log.error({ request_id: request.id, err: errorFields(error) }, message);
  const envelope: ErrorEnvelope = { code, message, request_id: request.id, ...(details && { details }) };
  // As text: the schema of a route's answer is for its answer.
  return (
    reply
      .code(status)
      // Once more: what fastify itself refuses has come past no hook.
      .headers({ ...headersOf(request), ...headers })
      .type('application/json; charset=utf-8')
      .serializer((text: unknown) => text as string)
      .send(JSON.stringify(envelope))
  );
}

function told(error: unknown): Told {
  if (error instanceof ApiError) return error;
  if (error instanceof WaybillError) {
    const { code, message, field } = error;
    // Of a configuration nothing is said to whoever is at the page.
    if (code === 'INVALID_CONFIG') return INTERNAL;
    return { status: STATUS[code], code, message, ...(field !== undefined && { details: { field } }) };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = (error as { validationContext?: string }).validationContext ?? 'request';
    const issues = error.validation.flatMap(({ keyword, instancePath, message = 'is wrong', params }) =>
      wrongFields({ ...params, code: keyword, path: instancePath.split('/').filter(Boolean), message }),
    );
    const [first] = issues;
    const more = issues.length > 1 ? `, and ${issues.length - 1} more` : '';
    return {
      status: 400,
      code: 'VALIDATION_ERROR',
      message: `${where}${first?.field ? ` ${first.field}` : ''}: ${first?.message}${more}`,
      details: { field: first?.field, in: where, issues },
    };
  }
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (isRedisAway(error)) return AWAY;
  if (typeof statusCode === 'number' && typeof code === 'string' && code.startsWith('FST_')) {
    return OF_FASTIFY[statusCode] ?? INTERNAL;
  }
  return INTERNAL;
}

/** What zod says of one wrong value. */
interface Issue {
  code?: string;
  path: readonly PropertyKey[];
  message: string;
  /** Of names that are not known. */
  keys?: unknown;
  /** Of a choice: what is wrong with each of its forms. */
  errors?: unknown;
}

/** A name that is not known is the field; of a choice, what is wrong with the form that was most nearly meant. */
function wrongFields({ code, path, message, keys, errors }: Issue, at: readonly PropertyKey[] = []): Wrong[] {
  const here = [...at, ...path];
  if (code === 'unrecognized_keys' && Array.isArray(keys))
    return keys.map((key) => ({ field: [...here, key].join('.'), message: 'there is no such field here' }));
  const forms = code === 'invalid_union' && Array.isArray(errors) ? (errors as Issue[][]) : [];
  const [nearest] = forms.filter(isOfParts).toSorted((a, b) => a.length - b.length);
  if (nearest) return nearest.flatMap((issue) => wrongFields(issue, here));
  return [{ field: here.join('.'), message }];
}

interface Wrong {
  field: string;
  message: string;
}

/** Of an object: its parts are wrong, and it is not that something else was given in its place. */
const isOfParts = (issues: Issue[]): boolean =>
  issues.length > 0 && issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys');

const INTERNAL: Told = {
  status: 500,
  code: 'INTERNAL_ERROR',
  message: 'something went wrong here; the log of the dashboard has more under this request_id',
};
const AWAY: Told = {
  status: 503,
  code: 'QUEUE_UNAVAILABLE',
  message: 'Redis does not answer; nothing is known of what it holds. Try again in a moment',
  headers: { 'retry-after': '2' },
};
const OF_FASTIFY: Record<number, Told> = {
  400: { status: 400, code: 'VALIDATION_ERROR', message: 'the request cannot be read: its body must be JSON' },
  404: { status: 404, code: 'NOT_FOUND', message: 'there is nothing here' },
  413: { status: 413, code: 'PAYLOAD_TOO_LARGE', message: 'the body is too large' },
  415: { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message: 'the body must be application/json' },
};

const DRIVER = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError', 'AbortError']);
const CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
const WORDS = /^(?:Connection is closed\.|Command timed out|Stream isn't writeable|no answer within)/;

/** What the driver throws while the server is away, and what the server answers while it starts or fails over. */
function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return isAway(error) || DRIVER.has(error.name) || WORDS.test(error.message) || (!!code && CODES.has(code));
}
