import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fieldOf,
  MAX_CODE,
  MAX_DETAILS,
  MAX_MESSAGE,
  printable,
  readEnvelope,
  readRequestId,
} from '../../core/envelope.ts';

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
    ['a code that is no text', '{"code":true,"message":["m"]}', { code: 'HTTP_400' }, 'req_h'],
    ['a title where there is no more', '{"title":"T","detail":" "}', { code: 'HTTP_400', message: 'T' }, 'req_h'],
    [
      'a message before detail',
      '{"title":"T","detail":"D","message":"M"}',
      { code: 'HTTP_400', message: 'M' },
      'req_h',
    ],
    ['an error that is a text', '{"code":"X","error":"m"}', { code: 'X' }, 'req_h'],
    [
      'what stands beside the object',
      '{"code":"out","message":"m","error":{"code":"in"}}',
      { code: 'in', message: 'm' },
      'req_h',
    ],
    ['details that are null', '{"code":"X","details":null}', { code: 'X' }, 'req_h'],
    ['details that are no object', '{"code":"X","details":"d"}', { code: 'X', details: '"d"' }, 'req_h'],
    ['a numeric request_id', '{"request_id":12345678901234567890}', { code: 'HTTP_400' }, '12345678901234567890'],
    ['request_id before requestId', '{"request_id":"req_1","requestId":"req_2"}', { code: 'HTTP_400' }, 'req_1'],
  ])('%s', (_what, body, envelope, requestId) => {
    expect(readEnvelope(400, body, 'req_h')).toStrictEqual({ envelope, requestId });
    expect(readRequestId(body, 'req_h', (text) => text)).toBe(requestId);
  });

  test('an answer without a request_id, in body and header, has none', () => {
    expect(readEnvelope(503, '')).toStrictEqual({ envelope: { code: 'HTTP_503' } });
    expect(readRequestId('', undefined, (text) => text)).toBeUndefined();
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

  test('credentials are taken out of the header and of numbers too', () => {
    const redact = (text: string): string => text.replaceAll('4111', '***');
    const details = '{"card":4111222233334444,"last":7,"id":12345678901234567890}';
    const { envelope, requestId } = readEnvelope(400, `{"details":${details}}`, 'req_4111', redact);
    expect(envelope.details).toBe('{"card":"***222233334444","last":7,"id":12345678901234567890}');
    expect(requestId).toBe('req_***');
    expect(readRequestId('', 'req_4111', redact)).toBe('req_***');
  });

  test('whatever an API answers, every part is capped', () => {
    const long = 'y'.repeat(100_000);
    const { envelope, requestId } = readEnvelope(
      500,
      JSON.stringify({ code: long, message: long, request_id: long, details: { long } }),
    );
    expect(envelope.code).toBe(`${'y'.repeat(MAX_CODE - 1)}…`);
    expect(envelope.message).toBe(`${'y'.repeat(MAX_MESSAGE - 1)}…`);
    expect(envelope.details?.length).toBeLessThanOrEqual(MAX_DETAILS);
    expect(JSON.parse(envelope.details ?? '')).toEqual({ truncated: `{"long":"${'y'.repeat(MAX_DETAILS / 4 - 10)}…` });
    expect(requestId).toBe(`${'y'.repeat(199)}…`);
  });

  test('details of the greatest length are whole', () => {
    const details = JSON.stringify('y'.repeat(MAX_DETAILS - 2));
    expect(readEnvelope(500, `{"details":${details}}`).envelope.details).toBe(details);
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

describe('the offending field', () => {
  test.each([
    ['{"field":"phone_number"}', 'phone_number'],
    ['{"field":7}', '7'],
    ['{"field":""}', undefined],
    ['{"field":["a"]}', undefined],
    ['{}', undefined],
    ['[]', undefined],
    ['cut {', undefined],
    [JSON.stringify({ field: 'f'.repeat(MAX_CODE + 1) }), `${'f'.repeat(MAX_CODE - 1)}…`],
  ])('of details %s is %s', (details, field) => expect(fieldOf({ code: 'X', details })).toBe(field));

  test('of an answer without details is unknown', () => {
    expect(fieldOf({ code: 'X' })).toBeUndefined();
    expect(fieldOf(undefined)).toBeUndefined();
  });
});

describe('one line of printable text', () => {
  test.each([
    ['a control character', 'a\u0007b'],
    ['a format character', 'a\u200fb'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['half of a surrogate pair', 'a\ud800b'],
  ])('%s becomes a space', (_what, text) => expect(printable(text, 10)).toBe('a b'));

  test('is whole up to its cap, and cut to it beyond', () => {
    expect(printable('abcde', 5)).toBe('abcde');
    expect(printable('abcdef', 5)).toBe('abcd…');
    expect(printable('\n abc \n', 5)).toBe('abc');
  });

  test('of a text of any length, twice the cap is looked at', () => {
    expect(printable(' '.repeat(9) + 'abc', 5)).toBe('a');
    expect(printable(' '.repeat(10) + 'abc', 5)).toBe('');
  });
});
