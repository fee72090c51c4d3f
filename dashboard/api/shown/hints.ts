// What a person may do about a code, in a sentence or two. Codes that nobody knows get none: a guess would be worse.
import { printable } from '../../../core/envelope.ts';
import { classOf } from '../../../core/outcome.ts';

const KEY_WRONG =
  "The API does not take the workers' credential. Give them the right one and restart them; then replay under the same key.";

const BY_CODE: Record<string, string> = {
  UNAUTHORIZED: KEY_WRONG,
  UNAUTHENTICATED: KEY_WRONG,
  AUTHENTICATION_REQUIRED: KEY_WRONG,
  INVALID_API_KEY: KEY_WRONG,
  API_KEY_INVALID: KEY_WRONG,
  API_KEY_MISSING: "No credential went out. Set the destination's `auth`, restart the workers, then replay.",
  API_KEY_EXPIRED: 'The credential has expired. Rotate it, restart the workers, then replay under the same key.',
  API_KEY_REVOKED: 'The credential was revoked. Make a new one, restart the workers, then replay under the same key.',
  TOKEN_EXPIRED: 'The credential has expired. Rotate it, restart the workers, then replay under the same key.',
  FORBIDDEN: 'The credential may not do this. Give it the permission at the API, or another credential; then replay.',
  INSUFFICIENT_SCOPE:
    'The credential may not do this. Give it the permission at the API, or another credential; then replay.',
  VALIDATION_ERROR:
    'The write says something that the API does not take. Edit it and replay it under a new key, and mend what produces it.',
  INVALID_JSON:
    'The body could not be read by the API. Edit it and replay it under a new key, and mend what produces it.',
  IDEMPOTENCY_CONFLICT:
    'The key was used before, with another body. Find out which of the two is right: the API has the first one. A new key sends this one as well.',
  IDEMPOTENCY_IN_PROGRESS:
    'The API was still at work on an earlier send of this key. Replay it under the same key a little later.',
  IDEMPOTENCY_KEY_INVALID:
    "The API does not take this as a key. Replay it under a new key, and mend the producer's keys.",
  NOT_FOUND:
    'What the path names is not there. Look at the path and at baseUrl; mend that, then replay it, edited or under a new key.',
  CONFLICT: 'It contradicts what the API has already. Look there first: the write may be superfluous.',
  RATE_LIMITED: 'The API asked for fewer calls for longer than the attempts cover. Replay slowly, at a rate it takes.',
  TOO_MANY_REQUESTS:
    'The API asked for fewer calls for longer than the attempts cover. Replay slowly, at a rate it takes.',
  PAYLOAD_TOO_LARGE: 'The body is larger than the API takes. Split the write where it is produced; discard this one.',
  ECONNREFUSED: 'Nothing listens at baseUrl, or a firewall refuses. Nothing was sent: once it is up, replay is safe.',
  ENOTFOUND: 'The host name of baseUrl is unknown: a slip, or DNS trouble. Nothing was sent: mend it, then replay.',
  EAI_AGAIN: 'DNS did not answer on the worker. Nothing was sent: once it does, replay is safe.',
  UND_ERR_CONNECT_TIMEOUT:
    'No connection came about in time: a firewall, a wrong port, or the API is down. Nothing was sent.',
  UND_ERR_HEADERS_TIMEOUT:
    'The API gave no answer in time, and may have applied the write all the same. The same key is safe to replay.',
  UND_ERR_BODY_TIMEOUT:
    'The answer broke off, and the write may be applied. The same key is safe to replay while the API keeps it.',
  UND_ERR_SOCKET:
    'The connection ended before the answer, and the write may be applied. The same key is safe to replay while the API keeps it.',
  WAYBILL_DEADLINE:
    'The attempt took longer than timeoutMs, and the write may be applied. The same key is safe to replay; if this is frequent, raise timeoutMs.',
  WAYBILL_DEADLINE_QUEUED:
    'The attempt got no connection in time. Nothing was sent: the worker is busier than its concurrency allows, or the API is slow.',
  INVALID_WRITE:
    'What stood in the queue cannot be sent. Edit it if it is a write; else discard it, and mend its producer.',
};

const TLS =
  'The TLS handshake failed, so that nothing was sent. Look at the certificate of the API, the clock, and the CAs that the worker trusts (NODE_EXTRA_CA_CERTS).';
const NO_ANSWER =
  'The connection ended without an answer, and the write may be applied. The same key is safe to replay while the API keeps it.';
const NOT_REACHED = 'The API could not be reached. Nothing was sent: once the way is open, replay is safe.';

/** What Node and undici say when there is no answer, beside those that have a sentence of their own. */
const NETWORK_CODE =
  /^(?:E[A-Z]{3,15}|UND_ERR_\w{1,40}|CERT_\w{1,40}|UNABLE_TO_\w{1,60}|ERR_(?:SSL|TLS|HTTP2)_\w{1,60}|HPE_\w{1,40}|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/;

/**
 * @param code the envelope's, `HTTP_<status>` where it has none, or a connection error's
 * @param more the status of the answer and the field that it names, where they are known
 * @returns undefined for a code that is not known
 */
export function hintFor(code: string, { status, field }: { status?: number; field?: string } = {}): string | undefined {
  if (code === 'VALIDATION_ERROR' && field !== undefined)
    return `The API does not take the field ${printable(field, 80)}. Edit it and replay under a new key, and mend what produces it.`;
  if (Object.hasOwn(BY_CODE, code)) return BY_CODE[code];
  const bare = /^HTTP_(\d{3})$/.exec(code)?.[1];
  const ofStatus = byStatus(status ?? (bare === undefined ? undefined : Number(bare)), bare !== undefined);
  if (ofStatus !== undefined || status !== undefined) return ofStatus;
  if (!NETWORK_CODE.test(code)) return undefined;
  switch (classOf(code)) {
    case 'tls':
      return TLS;
    case 'not-sent':
      return NOT_REACHED;
    case 'no-answer':
      return NO_ANSWER;
    case 'local':
    case 'shutdown':
    case 'unsendable':
      return undefined;
  }
}

/** @param bare the answer had no code of its own: it may not be the API's */
function byStatus(status: number | undefined, bare: boolean): string | undefined {
  if (status === undefined) return undefined;
  if (status === 401) return KEY_WRONG;
  if (status === 403) return BY_CODE.FORBIDDEN;
  if (status === 429) return BY_CODE.RATE_LIMITED;
  if (status >= 500)
    return 'The API failed, for longer than the attempts cover. Once it is well, replay under the same key; where it stored the failure under this key, ask it whether the write was applied.';
  if (!bare) return undefined;
  if (status === 404) return BY_CODE.NOT_FOUND;
  if (status >= 300 && status < 400)
    return 'A redirect, which is not followed: baseUrl is wrong, or a proxy stands before the API. Mend it, and ask the API whether the write was applied.';
  return undefined;
}
