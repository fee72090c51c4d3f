import { describe, expect, test } from 'vitest';
import type { Ruling, ShownWrite } from '../../dashboard/api/contract/letters.ts';
import { ACCEPT_DOUBLE_PHRASE } from '../../core/bulk.ts';
import { draftOf, editOf, faultsOf, headerChanges } from '../../dashboard/web/src/views/edit/draft.ts';
import { newUuid } from '../../dashboard/web/src/logic/new-uuid.ts';
import {
  firstChoice,
  type ReplayChoice,
  requestOf,
  wanting,
} from '../../dashboard/web/src/views/letter/replay-choice.ts';

const write: ShownWrite = {
  method: 'POST',
  path: '/v1/profiles',
  headers: { 'x-tenant': 'a', 'x-secret': '•••' },
  body: '{ "id": 12345678901234567890,\r\n"phone": "•••" }',
  maskedBody: ['/phone'],
  maskedHeaders: ['x-secret'],
  idempotencyKey: 'k',
};
const allowed: Ruling = { allowed: true, needsAcceptDouble: false, needsIgnoreExpiry: false };
const doubt: Ruling = {
  allowed: false,
  refusal: 'IN_DOUBT',
  because: 'it may',
  needsAcceptDouble: true,
  needsIgnoreExpiry: false,
};
const choice: ReplayChoice = { key: 'new', newKey: 'n', reason: ' mended ', phrase: '', ignoreExpiry: false };

describe('an edited write', () => {
  test('of which nothing differs is no edit', () => {
    expect(editOf(write, draftOf(write))).toBeUndefined();
  });

  test('sends what differs alone, the body byte for byte as it was typed', () => {
    const body = '{ "id": 12345678901234567891,\r\n"phone": "•••" }';
    expect(editOf(write, { ...draftOf(write), body })).toEqual({ body });
    expect(editOf(write, { ...draftOf(write), path: '/v2/profiles' })).toEqual({ path: '/v2/profiles' });
  });

  test('sends all headers when one of them differs', () => {
    const draft = {
      ...draftOf(write),
      headers: [
        { name: 'x-tenant', value: 'b' },
        { name: 'x-new', value: '1' },
      ],
    };
    expect(editOf(write, draft)).toEqual({ headers: { 'x-tenant': 'b', 'x-new': '1' } });
    expect(headerChanges(write, draft)).toEqual([
      { name: 'x-tenant', before: 'a', after: 'b' },
      { name: 'x-new', after: '1' },
      { name: 'x-secret', before: '•••' },
    ]);
  });

  test.each([
    [{ path: 'v1' }, 'path', 'A path starts with /'],
    [{ headers: [{ name: 'a b', value: '' }] }, 'headers', 'a b is no header name'],
    [
      {
        headers: [
          { name: 'a', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      'headers',
      'A stands there twice',
    ],
    [{ headers: [{ name: 'a', value: 'x\ny' }] }, 'headers', 'a has control characters in its value'],
    [{ body: '{' }, 'body', 'Line 1, column 2: expected a name in double quotes or }, but the text ends'],
  ])('with %j is told what is wrong', (part, where, message) => {
    expect(faultsOf({ ...draftOf(write), ...part })).toEqual([{ part: where, message }]);
  });

  test('gets a key that is a UUID of version 4', () => {
    expect(newUuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newUuid()).not.toBe(newUuid());
  });
});

describe('a replay', () => {
  test('proposes the own key of the write, unless only a new one is allowed', () => {
    expect(firstChoice({ same: allowed, new: allowed })).toBe('same');
    expect(firstChoice({ same: doubt, new: allowed })).toBe('new');
    expect(firstChoice({ same: doubt, new: doubt })).toBe('same');
  });

  test('wants a reason, and nothing more where it is allowed', () => {
    expect(wanting(allowed, { ...choice, reason: ' ' })).toBe('Say why: it stands in the audit.');
    expect(wanting(allowed, choice)).toBeUndefined();
    expect(requestOf(allowed, choice)).toEqual({ reason: 'mended', newKey: 'n' });
    expect(requestOf(allowed, { ...choice, key: 'same' })).toEqual({ reason: 'mended' });
  });

  test('that may apply a write twice wants the words of the contract', () => {
    expect(wanting(doubt, { ...choice, phrase: 'yes' })).toBe('Type: applied twice');
    expect(wanting(doubt, { ...choice, phrase: 'applied twice ' })).toBeUndefined();
    expect(requestOf(doubt, { ...choice, phrase: 'applied twice' })).toMatchObject({
      acceptDouble: ACCEPT_DOUBLE_PHRASE,
    });
  });

  test('past the expiry of the write wants a tick', () => {
    const late: Ruling = { allowed: false, refusal: 'TOO_LATE', needsAcceptDouble: false, needsIgnoreExpiry: true };
    expect(wanting(late, choice)).toContain('expiry');
    expect(requestOf(late, { ...choice, ignoreExpiry: true })).toMatchObject({ ignoreExpiry: true });
  });

  test('that nobody can allow says why', () => {
    const never: Ruling = {
      allowed: false,
      because: 'it is discarded already',
      needsAcceptDouble: false,
      needsIgnoreExpiry: false,
    };
    expect(wanting(never, choice)).toBe('Refused: it is discarded already.');
  });
});
