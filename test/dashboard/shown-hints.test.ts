import { expect, test } from 'vitest';
import { hintFor } from '../../dashboard/api/shown/hints.ts';

test.each<[string, string, { status?: number; field?: string }, RegExp]>([
  ['a refused credential', 'UNAUTHORIZED', {}, /right one and restart/],
  ['a 401 of any code', 'SOMETHING', { status: 401 }, /credential/],
  ['an expired key', 'API_KEY_EXPIRED', {}, /Rotate/],
  ['a 403', 'NO_WAY', { status: 403 }, /permission/],
  ['a field that is wrong', 'VALIDATION_ERROR', { field: 'phone_number' }, /field phone_number\. Edit it/],
  ['a write that is wrong', 'VALIDATION_ERROR', {}, /new key/],
  ['a key that was used', 'IDEMPOTENCY_CONFLICT', { status: 409 }, /another body/],
  ['a 429', 'SLOW_DOWN', { status: 429 }, /fewer calls/],
  ['a 5xx', 'INTERNAL', { status: 502 }, /once it is well/i],
  ['a gateway page', 'HTTP_503', {}, /same key/],
  ['a redirect', 'HTTP_302', {}, /baseUrl/],
  ['nobody listening', 'ECONNREFUSED', {}, /Nothing was sent/],
  ['an unknown host', 'ENOTFOUND', {}, /host name/],
  ['a time-out before the answer', 'UND_ERR_HEADERS_TIMEOUT', {}, /may have applied/],
  ['a reset', 'ECONNRESET', {}, /may be applied/],
  ['an unreachable network', 'ENETUNREACH', {}, /Nothing was sent/],
  ['a certificate that has expired', 'CERT_HAS_EXPIRED', {}, /certificate/],
])('%s has a hint', (_, code, more, said) => expect(hintFor(code, more)).toMatch(said));

test.each([
  ['an unknown code', 'OUT_OF_CREDIT', {}],
  ['an unknown code of a 4xx', 'OUT_OF_CREDIT', { status: 402 }],
  ['a name that every object has', 'constructor', {}],
  ['our own shutdown', 'UND_ERR_CLOSED', {}],
])('%s has none', (_, code, more) => expect(hintFor(code, more)).toBeUndefined());

test('a hostile field is text of one line in it', () =>
  expect(hintFor('VALIDATION_ERROR', { field: 'a\u001b[2J\n\u202eb' })).not.toMatch(/[\p{Cc}\p{Cf}]/u));
