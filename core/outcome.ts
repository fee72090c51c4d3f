// The outcome of one attempt, as data: whatever the API does, nothing is thrown. And what a connection error's code says
// about the write.
import type { Envelope } from './envelope.ts';

export type Outcome =
  | {
      kind: 'response';
      status: number;
      durationMs: number;
      /** The API marked the answer as a stored one (Idempotent-Replayed). */
      replayed: boolean;
      requestId?: string;
      /** Read from an answer that is not 2xx. */
      envelope?: Envelope;
      /** That answer's text, capped and redacted. */
      body?: string;
      /** It broke off before its end, or was too long to be read: what its body says is not known. */
      cut?: true;
      /** From now, when the API gave a Retry-After that can be read. */
      retryAfterMs?: number;
    }
  /** Nothing reached the API: DNS, refused, connect timeout, TLS, our own trouble. */
  | { kind: 'not-sent'; code: string; durationMs: number }
  /** Reset, timeout, a broken answer: it may have been applied. */
  | { kind: 'no-answer'; code: string; durationMs: number }
  /** Waybill itself did not send it; `message` says what is wrong. */
  | { kind: 'blocked'; code: string; message: string };

/** Our own codes, beside those of Node and undici. */
export const DEADLINE_QUEUED = 'WAYBILL_DEADLINE_QUEUED';
export const DEADLINE = 'WAYBILL_DEADLINE';
export const SHUTDOWN = 'WAYBILL_SHUTDOWN';
export const INTERNAL = 'WAYBILL_INTERNAL';

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  DEADLINE_QUEUED,
]);
const NOT_SENT_PREFIXES = ['UND_ERR_PRX_', 'UND_ERR_SOCKS5'];

/** Our machine's trouble: spends no attempt. */
const LOCAL_TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
/** Our own shutdown: spends no attempt. */
const OWN_SHUTDOWN = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', SHUTDOWN]);

/** The handshake failed: nothing was sent, and a person has to mend the configuration. */
const TLS = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
]);
const TLS_PREFIXES = ['CERT_', 'UNABLE_TO_', 'ERR_SSL_'];

/** undici refused the request itself: sending it again changes nothing. */
const UNSENDABLE = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'ERR_INVALID_URL',
  'ERR_INVALID_CHAR',
]);

export type ErrorClass = 'not-sent' | 'local' | 'shutdown' | 'tls' | 'unsendable' | 'no-answer';

/** The class of a connection error's code; behind one that nobody knows, the write may have been applied. */
export function classOf(code: string): ErrorClass {
  if (NOT_SENT.has(code) || NOT_SENT_PREFIXES.some((prefix) => code.startsWith(prefix))) return 'not-sent';
  if (LOCAL_TROUBLE.has(code)) return 'local';
  if (OWN_SHUTDOWN.has(code)) return 'shutdown';
  if (TLS.has(code) || TLS_PREFIXES.some((prefix) => code.startsWith(prefix))) return 'tls';
  if (UNSENDABLE.has(code)) return 'unsendable';
  return 'no-answer';
}

/**
 * The code of an error as Node and undici give it: an AggregateError (several addresses tried) and a cause are looked
 * into; HTTP parser errors may have none.
 */
export function codeOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 4) return 'UNKNOWN';
  const { code, errors, cause, name } = error as { code?: unknown; errors?: unknown; cause?: unknown; name?: unknown };
  if (Array.isArray(errors) && errors.length > 0) {
    const codes = errors.map((inner) => codeOf(inner, depth + 1));
    // Several addresses were tried: only when none of them got through is it certain that nothing was sent.
    return codes.reduce((decides, inner) => (classOf(inner) === 'no-answer' ? inner : decides));
  }
  if (typeof code === 'string' && /^\w{1,64}$/.test(code)) return code;
  if (cause !== undefined) return codeOf(cause, depth + 1);
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'UNKNOWN';
}
