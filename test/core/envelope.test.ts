import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldOf, MAX_CODE, MAX_DETAILS, MAX_MESSAGE, readEnvelope } from '../../core/envelope.ts';

describe('reading an error answer', () => {
  test('the envelope of the contract', () => {
    const body =
      '{"code":"VALIDATION_ERROR","message":"phone_number must be a valid E.164 number.","request_id":"req_1","details":{"field":"phone_number"}}';
    const { envelope, requestId } = readEnvelope(400, body, 'req_header');
    expect(envelope).toEqual({
      code: 'VALIDATION_ERROR',
      message: 'phone_number must be a valid E.164 number.',
      details: '{"field":"phone_number"}',
    });
    expect(requestId).toBe('req_1');
    expect(fieldOf(envelope)).toBe('phone_number');
  });

  test.each([
    ['requestId in place of request_id', '{"code":"X","requestId":"req_2"}', { code: 'X' }, 'req_2'],
    [
      'an object around it',
      '{"error":{"code":"X","message":"m","request_id":"req_3"}}',
      { code: 'X', message: 'm' },
      'req_3',
    ],
    [
      'problem+json',
      '{"type":"about:blank","title":"T","detail":"D","status":400}',
      { code: 'HTTP_400', message: 'D' },
      'req_h',
    ],
    ['HTML from a proxy', '<html><h1>502</h1></html>', { code: 'HTTP_400' }, 'req_h'],
    ['nothing', '', { code: 'HTTP_400' }, 'req_h'],
    ['JSON that is no object', '[1,2]', { code: 'HTTP_400' }, 'req_h'],
    ['a numeric code with all its digits', '{"code":12345678901234567890}', { code: '12345678901234567890' }, 'req_h'],
    ['an empty code', '{"code":""}', { code: 'HTTP_400' }, 'req_h'],
  ])('%s', (_what, body, envelope, requestId) => {
    expect(readEnvelope(400, body, 'req_h')).toEqual({ envelope, requestId });
  });

  test('big numbers in details keep their digits', () =>
    expect(readEnvelope(400, '{"details":{"id":12345678901234567890}}').envelope.details).toBe(
      '{"id":12345678901234567890}',
    ));

  test('control and bidi characters cannot reach a terminal or a page', () => {
    const { envelope } = readEnvelope(400, JSON.stringify({ code: 'A\u001b[31mB', message: 'x\u202ey\nz' }));
    expect(envelope.code).toBe('A [31mB');
    expect(envelope.message).toBe('x y z');
  });

  test('credentials are taken out after JSON was read and before anything is cut', () => {
    const body = `{"code":"sk\\/live","message":"${'x'.repeat(1995)}sk/live","request_id":"sk\\u002flive","details":{"k":"sk\\/live"}}`;
    const { envelope, requestId } = readEnvelope(400, body, undefined, (text) => text.replaceAll('sk/live', '***'));
    expect(envelope).toMatchObject({ code: '***', details: '{"k":"***"}' });
    expect(requestId).toBe('***');
    expect(envelope.message).not.toContain('sk');
  });

  test('whatever an API answers, every part is capped', () => {
    const long = 'y'.repeat(100_000);
    const { envelope, requestId } = readEnvelope(
      500,
      JSON.stringify({ code: long, message: long, request_id: long, details: { long } }),
    );
    expect(envelope.code.length).toBeLessThanOrEqual(MAX_CODE);
    expect(envelope.message?.length).toBeLessThanOrEqual(MAX_MESSAGE);
    expect(envelope.details?.length).toBeLessThanOrEqual(MAX_DETAILS);
    expect(requestId?.length).toBeLessThanOrEqual(200);
  });

  test('it never throws and always has a code', () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ code: value, message: value, details: value, error: value })),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 599 }),
        body,
        (status, text) => readEnvelope(status, text).envelope.code.length > 0,
      ),
    );
  });
});
