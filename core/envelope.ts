// The error envelope: what an API says about a failed request. Upstream text is data: capped, without control
// characters, and never an Error's message, a log key or markup (DESIGN decision 8).
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

/** One line of printable text: control, format and line-separating characters become a space. */
export function printable(upstream: string, maxLength: number): string {
  const clean = upstream
    .slice(0, maxLength * 2)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ')
    .trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

/**
 * Reads the envelope of SPEC.md, and what real answers have in its place: `requestId`, an `error` object around it,
 * RFC 9457 problem+json (`detail`, `title`), HTML or nothing at all.
 * @param body the answer's text as far as it was kept; a cut one simply does not parse
 * @param headerRequestId the value of X-Request-Id, used when the body has none
 */
export function readEnvelope(
  status: number,
  body: string,
  headerRequestId?: string,
): { envelope: Envelope; requestId?: string } {
  const answer = parse(body);
  const inner = isRecord(answer.error) ? { ...answer, ...answer.error } : answer;
  const code = text(inner.code, MAX_CODE) ?? `HTTP_${status}`;
  const message = text(inner.message, MAX_MESSAGE) ?? text(inner.detail, MAX_MESSAGE) ?? text(inner.title, MAX_MESSAGE);
  const requestId =
    text(inner.request_id, MAX_REQUEST_ID) ??
    text(inner.requestId, MAX_REQUEST_ID) ??
    text(headerRequestId, MAX_REQUEST_ID);
  const details = detailsText(inner.details);
  return {
    envelope: { code, ...(message !== undefined && { message }), ...(details !== undefined && { details }) },
    ...(requestId !== undefined && { requestId }),
  };
}

/** The offending field's name, where VALIDATION_ERROR could isolate it. */
export function fieldOf(envelope: Envelope | undefined): string | undefined {
  const details = parse(envelope?.details ?? '');
  return text(details.field, MAX_CODE);
}

function parse(body: string): Record<string, unknown> {
  try {
    const value = parseKeepingDigits(body);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function text(value: unknown, maxLength: number): string | undefined {
  if (typeof value === 'string') return printable(value, maxLength) || undefined;
  if (typeof value === 'number' || JSON.isRawJSON(value)) return printable(JSON.stringify(value), maxLength);
  return undefined;
}

function detailsText(details: unknown): string | undefined {
  if (details === undefined || details === null) return undefined;
  const json = JSON.stringify(details);
  return json.length <= MAX_DETAILS ? json : JSON.stringify({ truncated: printable(json, MAX_DETAILS / 4) });
}
