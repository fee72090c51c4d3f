// Masks of a whole write: its headers, and an edit of all its parts.
import { describe, expect, test } from 'vitest';
import type { WaybillError } from '../../core/errors.ts';
import { maskWrite, type Masking, unmaskEdit, type WriteEdit } from '../../core/mask-write.ts';
import type { Write } from '../../core/write.ts';

const RULES: Masking = { body: ['/card'], headers: ['X-Signature'] };
const write: Write = {
  method: 'POST',
  path: '/v1/x',
  headers: { 'x-signature': 's3cret', 'x-trace': 't' },
  body: '{"card":4111111111111111,"to":"ann"}',
  idempotencyKey: 'k',
};

function refusal(edit: WriteEdit, masking = RULES, original = write): string | undefined {
  try {
    unmaskEdit(edit, original, masking);
  } catch (error) {
    const { code, field } = error as WaybillError;
    return `${code} ${field}`;
  }
}

describe('the value of a masked header', () => {
  test('is masked whatever the case of its name, and comes back in its own place', () => {
    const shown = maskWrite(write, RULES);
    expect(shown).toMatchObject({
      headers: { 'x-signature': '[masked x-signature]', 'x-trace': 't' },
      names: ['x-signature'],
      body: '{"card":"[masked 1]","to":"ann"}',
      values: ['s3cret', '4111111111111111'],
    });
    const back = unmaskEdit({ headers: { 'X-Signature': '[masked x-signature]', 'x-trace': 'u' } }, write, RULES);
    expect(back.headers).toEqual({ 'X-Signature': 's3cret', 'x-trace': 'u' });
  });

  test.each([
    ['another header', { headers: { 'x-trace': '[masked x-signature]' } }, 'headers.x-trace'],
    ['part of a value', { headers: { 'x-signature': 'v1 [masked x-signature]' } }, 'headers.x-signature'],
    ['the body', { body: '{"to":"[masked x-signature]"}' }, 'body/to'],
    ['the path', { path: '/v1/[masked' }, 'path'],
    ['the path, encoded', { path: '/v1/%5Bm%61sked%20x-signature%5D' }, 'path'],
    ['a header, of a value of the body', { headers: { 'x-signature': '[masked 1]' } }, 'headers.x-signature'],
  ])('is refused where its mask stands in %s', (_, edit, field) =>
    expect(refusal(edit)).toBe(`MASK_MISPLACED ${field}`),
  );

  test('is refused where the write has no such header', () => {
    const { headers: _headers, ...bare } = write;
    expect(refusal({ headers: { 'x-signature': '[masked x-signature]' } }, RULES, bare)).toContain('MASK_MISPLACED');
  });
});

test('where the rules are not known the body is hidden, every header masked, and an edit may replace either', () => {
  expect(maskWrite(write, 'all')).toMatchObject({
    hidden: expect.stringContaining('hidden'),
    headers: { 'x-signature': '[masked x-signature]', 'x-trace': '[masked x-trace]' },
    values: ['s3cret', 't', '4111111111111111', 'ann'],
  });
  expect(maskWrite(write, 'all')).not.toHaveProperty('body');
  expect(unmaskEdit({ headers: { 'x-trace': '[masked x-trace]' }, body: '{"new":1}' }, write, 'all')).toEqual({
    headers: { 'x-trace': 't' },
    body: '{"new":1}',
  });
  expect(refusal({ body: '{"card":"[masked 1]"}' }, 'all')).toBe('MASK_MISPLACED body/card');
});

test('a write that says `[masked` itself is masked by another word', () => {
  const own = { ...write, headers: { ...write.headers, 'x-note': '[masked 1]' } };
  const shown = maskWrite(own, RULES);
  expect(shown.headers).toEqual({ 'x-signature': '[masked-2 x-signature]', 'x-trace': 't', 'x-note': '[masked 1]' });
  expect(unmaskEdit({ headers: shown.headers, body: shown.body ?? '' }, own, RULES)).toEqual({
    headers: own.headers,
    body: write.body,
  });
});

test('what is not edited is not judged', () => expect(unmaskEdit({}, write, RULES)).toEqual({}));
