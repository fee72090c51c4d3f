// The answers that plan steps give: refusals and failures as envelopes, and the shapes that real proxies and servers
// send in their place (HTML, nothing, text, RFC 9457 problem+json, requestId, a huge body).

import { type Answer, type AnswerOf, errorAnswer } from './answer.ts';

const REJECTIONS = {
  302: ['MOVED', 'This resource has moved.'],
  400: ['VALIDATION_ERROR', 'The request was rejected, as its sandbox plan asked.'],
  401: ['AUTH_INVALID_API_KEY', 'The API key is not valid.'],
  402: ['PAYMENT_REQUIRED', 'The account has no credit left.'],
  403: ['FORBIDDEN', 'The API key lacks the permission for this request.'],
  404: ['NOT_FOUND', 'A resource that the request names does not exist.'],
  409: ['CONFLICT', 'The request conflicts with the state of the resource.'],
  410: ['GONE', 'The resource is gone.'],
  422: ['UNPROCESSABLE', 'The request is well-formed and cannot be processed.'],
} as const;

const FAILURES = {
  500: ['INTERNAL_ERROR', 'Something went wrong on our side.'],
  502: ['BAD_GATEWAY', 'The upstream server gave no usable answer.'],
  503: ['SERVICE_UNAVAILABLE', 'The service is temporarily unavailable.'],
  504: ['GATEWAY_TIMEOUT', 'The upstream server did not answer in time.'],
  599: ['NETWORK_TIMEOUT', 'The network behind the proxy timed out.'],
} as const;

export function rejection(status: keyof typeof REJECTIONS): AnswerOf {
  const [code, message] = REJECTIONS[status];
  const headers = status === 302 ? { Location: '/v1/moved' } : {};
  const details = status === 400 ? { details: { field: 'sandbox.plan' } } : {};
  return (requestId) => errorAnswer({ status, code, message, headers, ...details }, requestId);
}

/** What careless APIs and debugging pages do: the client's own credential, as it is, in base64, and as JSON may escape it. */
export function credentialEcho(requestId: string, apiKey: string): Answer {
  const [code, message] = REJECTIONS[403];
  const details = { [apiKey]: apiKey, base64: Buffer.from(apiKey).toString('base64'), escaped: TO_ESCAPE };
  const answer = errorAnswer({ status: 403, code, message, details }, requestId);
  const escaped = Array.from(apiKey, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return { ...answer, body: answer.body.replace(TO_ESCAPE, () => escaped.join('')) };
}

const TO_ESCAPE = '(the API key)';

export function failure(status: keyof typeof FAILURES): AnswerOf {
  const [code, message] = FAILURES[status];
  return (requestId) => errorAnswer({ status, code, message }, requestId);
}

/** `retryAfter` is computed when the answer is given, since an HTTP-date is relative to that moment. */
export function rateLimited(retryAfter?: () => string): AnswerOf {
  return (requestId) => {
    const headers = retryAfter === undefined ? {} : { 'Retry-After': retryAfter() };
    return errorAnswer({ status: 429, code: 'RATE_LIMITED', message: 'Too many requests.', headers }, requestId);
  };
}

/** At least this many seconds ahead: an HTTP-date has whole seconds (RFC 9110 §5.6.7), so it is rounded up. */
export function httpDateAhead(seconds: number): string {
  return new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000).toUTCString();
}

export const inProgress: AnswerOf = (requestId) =>
  errorAnswer(
    {
      status: 409,
      code: 'IDEMPOTENCY_IN_PROGRESS',
      message: 'A request with this idempotency key is still being processed, retry shortly.',
    },
    requestId,
  );

export const proxyHtml: AnswerOf = () => ({
  status: 502,
  headers: { 'Content-Type': 'text/html', Server: 'nginx' },
  body: '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n',
});

export const emptyBody: AnswerOf = (requestId) => ({ status: 500, headers: { 'X-Request-Id': requestId }, body: '' });

export const plainText: AnswerOf = (requestId) => ({
  status: 400,
  headers: { 'Content-Type': 'text/plain', 'X-Request-Id': requestId },
  body: 'Bad Request',
});

export const problemDetails: AnswerOf = (requestId) => ({
  status: 422,
  headers: { 'Content-Type': 'application/problem+json', 'X-Request-Id': requestId },
  body: JSON.stringify({
    type: 'https://example.com/problems/unprocessable',
    title: 'Unprocessable',
    status: 422,
    detail: 'The request is well-formed and cannot be processed.',
  }),
});

export const camelCaseRequestId: AnswerOf = (requestId) => ({
  status: 400,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ code: 'VALIDATION_ERROR', message: 'The request was rejected.', requestId }),
});

/** A valid envelope of exactly `kib` KiB. */
export function bigFailure(kib: number): AnswerOf {
  return (requestId) => {
    const padded = (padding: string) =>
      errorAnswer(
        { status: 500, code: 'INTERNAL_ERROR', message: 'Something went wrong on our side.', details: { padding } },
        requestId,
      );
    const missingBytes = Math.max(0, kib * 1024 - Buffer.byteLength(padded('').body));
    return padded('x'.repeat(missingBytes));
  };
}
