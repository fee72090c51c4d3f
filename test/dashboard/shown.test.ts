// Dead letters as the API shows them: what is masked is nowhere, what is hostile is text, what is known is told.
import { describe, expect, test } from 'vitest';
import { letterDetail, letterRow } from '../../dashboard/api/contract/letters.ts';
import { auditEntry, foundWrite } from '../../dashboard/api/contract/audit.ts';
import { auditShown } from '../../dashboard/api/shown/audit.ts';
import { bundleOf } from '../../dashboard/api/shown/bundle.ts';
import { detailOf } from '../../dashboard/api/shown/detail.ts';
import { foundOf } from '../../dashboard/api/shown/found.ts';
import { shownLetter } from '../../dashboard/api/shown/letter.ts';
import { maskingOf } from '../../dashboard/api/shown/masking.ts';
import { rowOf } from '../../dashboard/api/shown/row.ts';
import { rulingsOf } from '../../dashboard/api/shown/rulings.ts';
import { emptyJournal } from '../../core/journal.ts';
import type { Act } from '../../queue/acts.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import type { Found } from '../../queue/find.ts';
import { ESCAPE, hostileLetter } from '../cli/hostile-letter.ts';
import { CARD, config, letter, MASKED, NOW, SIGNATURE } from './shown-letter.ts';

const found = (more: Partial<Found> = {}): Found => ({
  destination: 'sms',
  jobId: 'w1',
  idempotencyKey: 'order-17',
  state: 'dead',
  verdict: 'not-applied',
  enqueuedAt: NOW,
  journal: letter().journal,
  requestIds: ['req-1'],
  lineage: [],
  letter: letter(),
  ...more,
});

const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.entries(value).flat().flatMap(textsOf) : [];
};

/** All that the API can tell of a letter. */
async function everything(given: FiledLetter, known = MASKED): Promise<string> {
  const masking = maskingOf(known, given.destination);
  const bundle = await Array.fromAsync(bundleOf([given], 'a group', known, NOW));
  const { letter: _letter, ...alive } = found({ state: 'retrying', journal: given.journal });
  return JSON.stringify([
    rowOf(given, masking),
    detailOf(given, { config: known, found: found({ letter: given, lineage: [given] }), now: NOW }),
    shownLetter(given, masking),
    foundOf(found({ letter: given }), known),
    foundOf(alive, known),
    bundle,
  ]);
}

describe('what the rules of a destination name', () => {
  test('is nowhere to be seen: not in the write, nor where the API repeats it, nor in the curl command', async () => {
    const said = await everything(letter());
    for (const secret of [CARD, SIGNATURE, '111111111111111']) expect(said).not.toContain(secret);
    const { write, journal, envelope, curl } = detailOf(letter(), { config: MASKED, now: NOW });
    expect(write).toMatchObject({
      body: '{"card":{"number":"[masked 1]"},"id":12345678901234567890}',
      maskedBody: ['/card/number'],
      headers: { 'x-signature': '[masked x-signature]', 'x-trace': 't' },
      maskedHeaders: ['x-signature'],
    });
    expect(journal?.attempts[0]?.message).toBe('card [redacted] is not a number of [redacted]');
    expect(JSON.parse(envelope?.details ?? '')).toBeDefined();
    expect(curl).toContain('"number":"[masked 1]"');
  });

  test('is not seen either where a cap has cut the echo of it', () => {
    const cut = letter({ envelope: { code: 'X', message: `no card ${CARD.slice(0, 9)}…` } });
    expect(rowOf(cut, maskingOf(MASKED, 'sms')).message).toBe('no card [redacted]…');
    const long = `${'ab'.repeat(500)}zz`;
    const echo = letter({
      write: { method: 'POST', path: '/', idempotencyKey: 'k', body: JSON.stringify({ card: { number: long } }) },
      envelope: { code: 'X', message: `no ${long} here` },
    });
    expect(rowOf(echo, maskingOf(MASKED, 'sms')).message).toMatch(/^no (\[redacted\])+ here$/);
  });

  test('hides all that an API said where there is too much of it to look for, or nobody can tell what it is', () => {
    const many = JSON.stringify({ card: { number: Array.from({ length: 600 }, (_, i) => `number-${i}`) } });
    for (const body of [many, `<card>${CARD}</card>`]) {
      const given = letter({ write: { method: 'POST', path: '/', idempotencyKey: 'k', body } });
      const row = rowOf(given, maskingOf(MASKED, 'sms'));
      expect(row).toMatchObject({ message: expect.stringContaining('hidden'), code: 'VALIDATION_ERROR' });
    }
    const broken = letter({ write: { method: 'POST', path: '/', idempotencyKey: 'k', body: `<card>${CARD}` } });
    const { write, curl } = detailOf(broken, { config: MASKED, now: NOW });
    expect(write).toMatchObject({ hidden: expect.stringContaining('not JSON') });
    expect(write).not.toHaveProperty('body');
    expect(curl).not.toContain(CARD);
  });
});

describe('a destination that the configuration lacks', () => {
  test('shows neither bodies nor header values, and says so', async () => {
    const said = await everything(letter(), config());
    for (const secret of [CARD, SIGNATURE, '12345678901234567890']) expect(said).not.toContain(secret);
    const { write, letter: row, journal } = detailOf(letter(), { config: config(), now: NOW });
    expect(write).toMatchObject({
      hidden: expect.stringContaining('lacks'),
      headers: { 'x-trace': '[masked x-trace]' },
    });
    expect(row).toMatchObject({ message: 'card [redacted] is not a number of [redacted]' });
    expect(journal?.attempts[0]?.body).toMatch(/^\(hidden/);
  });

  test('shows all of it where dashboard.unconfigured is `show`', async () =>
    expect(await everything(letter(), config(undefined, 'show'))).toContain(CARD));
});

test('one letter in full: its evidence, its waits, its hint, its request_ids, its generations', () => {
  const origin = 'w0.g0';
  const told = detailOf(letter(), {
    config: MASKED,
    found: found({ origin, lineage: [letter({ id: 'w1.g9' })] }),
    trimmedAt: 7,
    now: NOW,
  });
  expect(letterDetail.parse(told)).toEqual(told);
  expect(told).toMatchObject({
    letter: { id: 'w1.g0', attempts: 1, generation: 0, field: 'card.number', keyUsableUntil: NOW + 2000 },
    hint: expect.stringContaining('card.number'),
    verdictWords: 'the API did not apply it',
    verdictEvidence: expect.stringContaining('attempt 1: 422 VALIDATION_ERROR'),
    journal: {
      attempts: [{ waitMs: 4610, waitTrace: '4.61 s = base 4000 + jitter 610; Retry-After 3 s was shorter' }],
    },
    replay: { same: { allowed: true }, new: { allowed: true } },
    lineage: [
      { id: 'w1.g9', generation: 9 },
      { id: 'w1.g0', generation: 0, code: 'VALIDATION_ERROR' },
    ],
    requestIds: ['req-1'],
    writeState: 'dead',
    trimmedAt: 7,
    origin,
  });
});

test('what is no dead letter any more can be looked at, and only discarded', () => {
  const { id, destination, jobId, deadAt, acts } = letter();
  const broken = { id, destination, jobId, deadAt, acts, state: 'open' as const, unreadable: 'cannot be read' };
  const told = detailOf(broken, { config: MASKED, now: NOW });
  expect(letterDetail.parse(told)).toMatchObject({
    letter: { unreadable: 'cannot be read' },
    replay: { same: { allowed: false, refusal: 'NOT_A_WRITE' }, new: { allowed: false } },
  });
  expect(shownLetter(broken, 'all')).toBe(broken);
});

test('a raw text that is no write is hidden where there are rules', () => {
  const { write: _write, ...rest } = letter({ raw: `card ${CARD}` });
  expect(JSON.stringify(detailOf(rest, { config: MASKED, now: NOW }))).not.toContain(CARD);
  expect(detailOf(rest, { config: config({}), now: NOW })).toMatchObject({ raw: `card ${CARD}` });
});

test('whatever stands in Redis, the answers are what the contract says, and no character of them is obeyed', () => {
  const journal = {
    ...emptyJournal(),
    attempts: [{ evidence: 'x', at: 'y', wait: 1, code: ESCAPE, worker: ESCAPE, envelope: null } as never],
  };
  for (const known of [MASKED, config(), config(undefined, 'show')]) {
    const given = { ...hostileLetter(journal), destination: 'sms', keyExpiresAt: 1e300, keyUsableUntil: 1 };
    const told = detailOf(given, { config: known, found: found({ letter: given, lineage: [given] }), now: NOW });
    letterDetail.parse(told);
    letterRow.parse(rowOf(given, maskingOf(known, 'sms')));
    foundWrite.parse(foundOf(found({ letter: given, journal }), known));
    shownLetter(given, maskingOf(known, 'sms'));
    const { write, letter: row, lineage: _lineage, ...rest } = told;
    const texts = textsOf([{ ...write, body: '' }, { ...row, id: '', jobId: '' }, rest]);
    for (const text of texts) expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

describe('the rulings', () => {
  const inDoubt = { verdict: 'in-doubt' as const, reason: 'exhausted' as const };
  test('say what a person has to accept first', () => {
    expect(rulingsOf(letter(inDoubt), NOW)).toMatchObject({
      same: { allowed: true, needsAcceptDouble: false },
      new: { allowed: false, refusal: 'IN_DOUBT', needsAcceptDouble: true, needsIgnoreExpiry: false },
    });
    const write = { method: 'POST' as const, path: '/', idempotencyKey: 'k', expiresAt: NOW - 1 };
    expect(rulingsOf(letter({ ...inDoubt, write }), NOW + 99_999)).toMatchObject({
      same: { allowed: false, refusal: 'TOO_LATE', needsAcceptDouble: true, needsIgnoreExpiry: true },
      new: { allowed: false, refusal: 'TOO_LATE', needsAcceptDouble: true, needsIgnoreExpiry: true },
    });
  });

  test('allow nothing where somebody was first', () =>
    expect(rulingsOf(letter({ state: 'replayed' }), NOW)).toMatchObject({
      same: { allowed: false, refusal: 'HANDLED', needsAcceptDouble: false },
    }));
});

test('an edited replay is told as one, in the letter and in the audit', () => {
  const act: Act = {
    act: 'replay',
    id: 'a',
    at: NOW,
    by: 'ann',
    reason: 'mended',
    letter: 'w1.g0',
    jobId: 'w1',
    verdict: 'not-applied',
    generation: 0,
    newKey: { idempotencyKey: 'k2', jobId: 'w2' },
    edited: true,
  };
  const { letter: row, replacedBy } = detailOf(letter({ state: 'replayed', acts: [act] }), {
    config: MASKED,
    now: NOW,
  });
  expect(row.handled).toMatchObject({ by: 'ann', edited: true, newKey: { idempotencyKey: 'k2' } });
  expect(replacedBy).toEqual({ idempotencyKey: 'k2', jobId: 'w2' });
  const told = auditShown({ destination: 'sms', entry: '1-0', ...act });
  expect(auditEntry.parse(told)).toMatchObject({ act: 'replay', edited: true, verdict: 'not-applied' });
});

test("an operation's filter stands in the audit as the API is asked for it", () => {
  const told = auditShown({
    destination: 'sms',
    entry: '1-0',
    act: 'operation-created',
    at: NOW,
    by: 'ann',
    reason: 'mine',
    operation: 'one',
    verb: 'replay',
    count: 3,
    filter: 'code=A%26B&text=no+one&replayed=false&before=5',
  });
  expect(told.filter).toBe('code=A%26B&q=no+one&replayed=no&before=5');
});

test("a bundle names the requests with their times and request_ids, for an API's support", async () => {
  const text = (
    await Array.fromAsync(bundleOf([letter(), letter({ id: 'w2.g0' })], 'VALIDATION_ERROR at sms', MASKED, NOW))
  ).join('');
  expect(text).toContain('Requests that failed: VALIDATION_ERROR at sms');
  expect(text).toContain('1. POST /v1/cards?x=[1]   (dead letter w1.g0 at sms)');
  expect(text).toContain('2026-11-22T11:59:59.000Z  422 VALIDATION_ERROR  request_id req-1  card [redacted]');
  expect(text.match(/^curl /gm)).toHaveLength(2);
});
