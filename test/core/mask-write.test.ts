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

  test('comes back without the spaces around its mask, which a header loses on its way', () =>
    expect(unmaskEdit({ headers: { 'x-signature': ' [masked x-signature] ' } }, write, RULES).headers).toEqual({
      'x-signature': 's3cret',
    }));

  test('is refused in the place of a header that is not masked, or that the write does not have', () => {
    expect(refusal({ headers: { 'x-trace': '[masked x-trace]' } })).toBe('MASK_MISPLACED headers.x-trace');
    for (const name of ['x-none', 'constructor'])
      expect(refusal({ headers: { [name]: `[masked ${name}]` } }, 'all')).toBe(`MASK_MISPLACED headers.${name}`);
  });

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
  expect(refusal({ body: '"[masked 1]"' }, 'all')).toBe('MASK_MISPLACED body');
});

test('of a hidden body the values are told, unless it is long or no JSON: then nobody can tell what an API repeats', () => {
  const told = (body: string): readonly string[] | undefined => maskWrite({ path: '/x', body }, 'all').values;
  const said = 'x'.repeat(65_534);
  expect(told(`"${said}"`)).toEqual([said]);
  expect(told(`"${said}x"`)).toBeUndefined();
  expect(told('<card>4111</card>')).toBeUndefined();
});

test('a body that is no JSON is hidden, for nothing can be found in it, and people are told why', () => {
  const shown = maskWrite({ ...write, body: '<note>[masked 1]</note>' }, RULES);
  expect(shown).toEqual({
    headers: { 'x-signature': '[masked-2 x-signature]', 'x-trace': 't' },
    pointers: [],
    names: ['x-signature'],
    hidden: expect.stringMatching(/^hidden: it is not JSON/) as string,
  });
});

test('a write without headers and body has nothing that is masked', () => {
  const shown = { headers: {}, pointers: [], names: [], values: [] };
  expect(maskWrite({ path: '/x' }, RULES)).toStrictEqual(shown);
  expect(maskWrite({ path: '/x' }, 'all')).toStrictEqual(shown);
});

test('whatever stands in Redis in the place of a write can be shown', () => {
  const broken = { path: 7, headers: { 'x-signature': 5, 'x-trace': null }, body: { card: 4111, to: 'ann' } };
  expect(maskWrite(broken as unknown as Write, RULES)).toMatchObject({
    headers: { 'x-signature': '[masked x-signature]', 'x-trace': '""' },
    body: '{"card":"[masked 1]","to":"ann"}',
    values: ['5', '4111'],
  });
  expect(maskWrite({ path: '/x', headers: 'x' } as unknown as Write, RULES).headers).toEqual({});
});

test('a path is sent as it is edited, unless a mask stands in it, though it cannot be decoded', () => {
  expect(unmaskEdit({ path: '/v2/%zz' }, write, RULES)).toStrictEqual({ path: '/v2/%zz' });
  expect(refusal({ path: '/v1/%5bmasked%zz' })).toBe('MASK_MISPLACED path');
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

test('what is not edited is not judged', () => expect(unmaskEdit({}, write, RULES)).toStrictEqual({}));
