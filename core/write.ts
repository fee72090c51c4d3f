// The write, which is what stands in a queue. What a producer may say, what is stored, and what makes two writes the same.
import { hash } from 'node:crypto';
import { WaybillError } from './errors.ts';
import { isRecord } from './json.ts';

export const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** What an application hands to `queue.add('send', …)`. */
export interface WriteInput {
  method: Method;
  /** From the destination's base URL on, starting with one `/`; a query may follow. Never a URL: origin and credentials are the worker's. */
  path: string;
  headers?: Record<string, string>;
  /** A JSON value, or a string that is JSON text and is sent byte for byte. */
  body?: unknown;
  /** 1 to 255 printable ASCII characters; a UUID v4 when left out. */
  idempotencyKey?: string;
}

/** What Redis keeps of a write and the worker sends. `body` is JSON text from here to the wire. */
export interface Write {
  method: Method;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  idempotencyKey: string;
  /** Overrides the destination's maxAttempts, the first attempt included. */
  maxAttempts?: number;
  /** Epoch ms after which the write is not sent any more. */
  expiresAt?: number;
}

export const MAX_PATH_LENGTH = 8192;
export const MAX_HEADERS = 64;
export const MAX_HEADER_BYTES = 8192;
export const MAX_BODY_BYTES = 5 * 1024 * 1024;
export const MAX_ATTEMPTS = 100;
export const MAX_DELAY_MS = 365 * 86_400_000;
/** BullMQ's: what is more would not fit into a score. */
export const MAX_PRIORITY = 2 ** 21 - 1;
/** As milliseconds this is in 2001: whoever says less means seconds. */
const SECONDS_LOOK_LIKE = 1e12;

/** Headers that belong to the connection (RFC 9110 §7.6.1) or carry credentials: those never enter Redis. */
const CONNECTION_HEADERS = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const CREDENTIAL_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-auth-token', 'api-key'];

const KEY = /^[\x20-\x7e]{1,255}$/;
// RFC 9110 §5.6.2: token. RFC 9110 §5.5: field value, without the obs-text that half of the servers misread.
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
// RFC 3986: path and query in their encoded form; `#`, `\`, spaces and controls are out.
const PATH = /^\/(?!\/)[!$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z|~]*$/;
const DOT_SEGMENT = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

const DESTINATION = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const invalid = (field: string, why: string): WaybillError =>
  new WaybillError('INVALID_WRITE', `${field}: ${why}`, { field });

/** @throws WaybillError INVALID_WRITE unless the name can be a queue, a hash tag and a file name at once */
export function checkDestinationName(name: unknown): string {
  if (typeof name === 'string' && DESTINATION.test(name)) return name;
  throw invalid(
    'destination',
    'must be 1 to 63 characters, a-z, 0-9, - and _, starting with a letter or digit' +
      (typeof name === 'string' ? `; got ${JSON.stringify(name.slice(0, 80))}` : ''),
  );
}

/** @throws WaybillError INVALID_WRITE unless the key has 1 to 255 printable ASCII characters (docs/contract.md) */
export function checkIdempotencyKey(key: unknown, field = 'idempotencyKey'): string {
  if (typeof key !== 'string') throw invalid(field, `must be a string, got ${nameType(key)}`);
  if (!KEY.test(key)) throw invalid(field, `must be 1 to 255 printable ASCII characters, got ${describeText(key)}`);
  // A header's value loses its outer spaces on the way (RFC 9110 §5.5): the API would see another key.
  if (key !== key.trim()) throw invalid(field, 'must not start or end with a space');
  return key;
}

/** @throws WaybillError INVALID_WRITE unless the path stays inside whatever base URL it is put behind */
export function checkPath(path: unknown): string {
  if (typeof path !== 'string') throw invalid('path', `must be a string, got ${nameType(path)}`);
  if (path.length > MAX_PATH_LENGTH)
    throw invalid('path', `must have at most ${MAX_PATH_LENGTH} characters, has ${path.length}`);
  if (!PATH.test(path)) {
    throw invalid(
      'path',
      'must start with one "/" and hold only URL characters, the rest percent-encoded; ' +
        `a URL, "//", "\\" and "#" are refused${path.includes('//') ? '' : `; got ${describeText(path)}`}`, // a URL may hold a password
    );
  }
  if (DOT_SEGMENT.test(path)) throw invalid('path', 'must not contain the segments "." or ".."');
  return path;
}

/** @throws WaybillError INVALID_WRITE naming the header; names come back in lower case */
export function checkHeaders(headers: unknown): Record<string, string> | undefined {
  if (headers === undefined || headers === null) return undefined;
  if (!isRecord(headers)) throw invalid('headers', `must be an object of strings, got ${nameType(headers)}`);
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw invalid('headers', `must be at most ${MAX_HEADERS}, got ${entries.length}`);
  const checked: Record<string, string> = Object.create(null) as Record<string, string>;
  let bytes = 0;
  for (const [given, value] of entries) {
    const name = given.toLowerCase();
    const field = `headers.${given.slice(0, 80)}`;
    if (!HEADER_NAME.test(given)) throw invalid('headers', `${describeText(given)} is not a header name`);
    if (typeof value !== 'string') throw invalid(field, `must be a string, got ${nameType(value)}`);
    if (!HEADER_VALUE.test(value)) throw invalid(field, 'must hold printable ASCII characters only');
    if (CONNECTION_HEADERS.includes(name)) throw invalid(field, 'belongs to the connection and is set by the worker');
    if (CREDENTIAL_HEADERS.includes(name)) {
      throw invalid(
        field,
        "is a credential and must not enter the queue: set the destination's auth in the worker's configuration",
      );
    }
    if (name === 'idempotency-key') throw invalid(field, 'is set from idempotencyKey');
    if (name in checked) throw invalid(field, 'is given twice');
    bytes += name.length + value.length;
    checked[name] = value;
  }
  if (bytes > MAX_HEADER_BYTES)
    throw invalid('headers', `must be at most ${MAX_HEADER_BYTES} bytes together, got ${bytes}`);
  return entries.length === 0 ? undefined : { ...checked };
}

/**
 * The body as the JSON text that goes to the wire: a string is taken as JSON text and left as it is, any other value
 * is written as JSON once.
 * @throws WaybillError INVALID_WRITE when it is no JSON
 */
export function bodyText(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  const text = typeof body === 'string' ? jsonText(body) : stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BODY_BYTES) throw invalid('body', `must be at most ${MAX_BODY_BYTES} bytes, has ${bytes}`);
  return text;
}

function jsonText(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    throw invalid('body', 'a string must be JSON text; pass JSON.stringify(value) to send a JSON string');
  }
  if (!text.isWellFormed()) throw invalid('body', 'contains half of a surrogate pair, which UTF-8 cannot carry');
  return text;
}

function stringify(body: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
  } catch (cause) {
    // A cycle, a BigInt, or a toJSON that throws.
    throw new WaybillError(
      'INVALID_WRITE',
      'body: cannot be written as JSON (a cycle, a BigInt, or a toJSON that throws)',
      {
        field: 'body',
        cause,
      },
    );
  }
  if (text === undefined) throw invalid('body', `cannot be written as JSON, got ${nameType(body)}`);
  return text;
}

export function checkMethod(method: unknown): Method {
  if (METHODS.includes(method as Method)) return method as Method;
  throw invalid(
    'method',
    `must be one of ${METHODS.join(', ')}${typeof method === 'string' ? `, got ${describeText(method)}` : ''}`,
  );
}

export function checkMaxAttempts(value: unknown, field = 'maxAttempts'): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ATTEMPTS) return value as number;
  throw invalid(field, `must be a whole number from 1 to ${MAX_ATTEMPTS}`);
}

/** Epoch ms as a number, or a Date. */
export function checkTime(value: unknown, field: string): number {
  const at = value instanceof Date ? value.getTime() : value;
  if (!Number.isSafeInteger(at) || (at as number) <= 0)
    throw invalid(field, 'must be a Date or a whole number of milliseconds since 1970');
  if ((at as number) < SECONDS_LOOK_LIKE)
    throw invalid(field, 'must be milliseconds since 1970; this looks like seconds');
  return at as number;
}

const INPUT_FIELDS = ['method', 'path', 'headers', 'body', 'idempotencyKey'];
const STORED_FIELDS = [...INPUT_FIELDS, 'maxAttempts', 'expiresAt'];

/**
 * Checks what an application or a plain BullMQ producer gave, and returns the write as it is stored.
 * @param makeKey the key for a write that has none
 * @param stored whether maxAttempts and expiresAt may stand in it (in a job they do; from an application they are options)
 * @throws WaybillError INVALID_WRITE naming the field
 */
export function toWrite(input: unknown, makeKey: () => string, stored = false): Write {
  if (!isRecord(input))
    throw invalid(
      'payload',
      `must be an object { method, path, headers?, body?, idempotencyKey? }, got ${nameType(input)}`,
    );
  const known = stored ? STORED_FIELDS : INPUT_FIELDS;
  for (const field of Object.keys(input)) {
    if (!known.includes(field))
      throw invalid(field.slice(0, 80), `is not a field of a write; allowed are ${known.join(', ')}`);
  }
  const method = checkMethod(input.method);
  const path = checkPath(input.path);
  const headers = checkHeaders(input.headers);
  const body = bodyText(input.body);
  const idempotencyKey = input.idempotencyKey === undefined ? makeKey() : checkIdempotencyKey(input.idempotencyKey);
  return {
    method,
    path,
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
    idempotencyKey,
    ...(input.maxAttempts !== undefined && { maxAttempts: checkMaxAttempts(input.maxAttempts) }),
    ...(input.expiresAt !== undefined && { expiresAt: checkTime(input.expiresAt, 'expiresAt') }),
  };
}

/**
 * The BullMQ job id of a key. A caller's string is never a raw job id: integers are refused by BullMQ, words such as
 * `wait` overwrite the queue's own keys (measured). 132 bits of SHA-256 behind a letter are neither.
 */
export function jobIdOf(idempotencyKey: string): string {
  return 'w' + shortHash(idempotencyKey);
}

/** What makes two writes under one key the same: method, path, headers and the body's text. */
export function payloadHash(write: Write): string {
  const headers = Object.entries(write.headers ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return shortHash(JSON.stringify([write.method, write.path, headers, write.body ?? null]));
}

/** 132 bits of SHA-256: every write and its tombstone have two. */
const shortHash = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22);

function nameType(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}

function describeText(text: string): string {
  return text.length === 0
    ? 'an empty string'
    : `${JSON.stringify(text.slice(0, 60))}${text.length > 60 ? ` (${text.length} characters)` : ''}`;
}
