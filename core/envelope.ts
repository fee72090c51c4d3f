// The error envelope: what an API says about a failed request. Upstream text is data: capped, without control
// characters, and never an Error's message, a log key or markup (SECURITY.md).
import { isRecord, parseKeepingDigits } from './json.ts';

/** What could be read of an error answer. */
export interface Envelope {
  /** Stable, to branch on; `HTTP_<status>` when the answer has none. */
  code: string;
  /** For people, never parsed. */
  message?: string;
  /** Depends on the code; kept as JSON text so that its digits survive. At most MAX_DETAILS characters. */
  details?: string;
}

export const MAX_CODE = 128;
export const MAX_REQUEST_ID = 200;
export const MAX_MESSAGE = 2000;
export const MAX_DETAILS = 8192;

const ASCII = /^[\x20-\x7e]*$/;

/** One line of printable text: control, format and line-separating characters become a space. */
export function printable(upstream: string, maxLength: number): string {
  if (upstream.length <= maxLength && ASCII.test(upstream)) return upstream.trim();
  const clean = upstream
    .slice(0, maxLength * 2)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ')
    .trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

/**
 * Reads the envelope (docs/contract.md), and what real answers have in its place: `requestId`, an `error` object around it,
 * RFC 9457 problem+json (`detail`, `title`), HTML or nothing at all.
 * @param body the answer's text as far as it was kept; a cut one simply does not parse
 * @param headerRequestId the value of X-Request-Id, used when the body has none
 * @param redact takes credentials out of every text; JSON's escapes are resolved by then
 */
export function readEnvelope(
  status: number,
  body: string,
  headerRequestId?: string,
  redact: Redact = (text) => text,
): { envelope: Envelope; requestId?: string } {
  const inner = innerOf(body);
  const message = first(redact, MAX_MESSAGE, inner.message, inner.detail, inner.title);
  const requestId = requestIdIn(inner, headerRequestId, redact);
  const details = detailsText(inner.details, redact);
  return {
    envelope: {
      code: first(redact, MAX_CODE, inner.code) ?? `HTTP_${status}`,
      ...(message !== undefined && { message }),
      ...(details !== undefined && { details }),
    },
    ...(requestId !== undefined && { requestId }),
  };
}

/** The request_id alone, as readEnvelope reads it. */
export function readRequestId(body: string, headerRequestId: string | undefined, redact: Redact): string | undefined {
  const inner = innerOf(body, JSON.parse);
  // A parse that keeps digits takes five times as long, and hardly any request_id is a number.
  const isNumber = typeof inner.request_id === 'number' || typeof inner.requestId === 'number';
  return requestIdIn(isNumber ? innerOf(body) : inner, headerRequestId, redact);
}

type Redact = (text: string) => string;

function innerOf(body: string, by = parseKeepingDigits): Record<string, unknown> {
  const answer = parse(body, by);
  return isRecord(answer.error) ? { ...answer, ...answer.error } : answer;
}

const requestIdIn = (
  inner: Record<string, unknown>,
  headerRequestId: string | undefined,
  redact: Redact,
): string | undefined => first(redact, MAX_REQUEST_ID, inner.request_id, inner.requestId, headerRequestId);

/** The first of the values that is a text. Credentials go before the cap, which could cut one in two. */
function first(redact: Redact, maxLength: number, ...values: unknown[]): string | undefined {
  for (const value of values) {
    const found = textOf(value);
    const shown = found === undefined ? '' : printable(redact(found), maxLength);
    if (shown !== '') return shown;
  }
  return undefined;
}

/** The offending field's name, where VALIDATION_ERROR could isolate it. */
export function fieldOf(envelope: Envelope | undefined): string | undefined {
  const field = textOf(parse(envelope?.details ?? '').field);
  return (field !== undefined && printable(field, MAX_CODE)) || undefined;
}

function parse(body: string, by = parseKeepingDigits): Record<string, unknown> {
  try {
    const value = by(body);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || JSON.isRawJSON(value) ? JSON.stringify(value) : undefined;
}

function detailsText(details: unknown, redact: (text: string) => string): string | undefined {
  if (details === undefined || details === null) return undefined;
  // A number is replaced by a text, so that JSON stays what it is.
  const json = redact(
    JSON.stringify(details, (_name, value: unknown) => {
      const digits = typeof value === 'number' || JSON.isRawJSON(value) ? JSON.stringify(value) : undefined;
      const shown = digits === undefined ? undefined : redact(digits);
      return shown === digits ? value : shown;
    }),
  );
  return json.length <= MAX_DETAILS ? json : JSON.stringify({ truncated: printable(json, MAX_DETAILS / 4) });
}
