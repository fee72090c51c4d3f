import { expect, test } from 'vitest';
import { admit, KEY_MARGIN_MS, keyOutlives, keyUsableUntil } from '../../core/admit.ts';
import { type Attempt, emptyJournal, type Journal, record } from '../../core/journal.ts';

const NOW = 1_800_000_000_000;
const POLICY = { maxCrashes: 5, keyTtlMs: 86_400_000, timeoutMs: 15_000 };
const WRITE = { lostAt: NOW - 1000 };
const sent = (at: number, more: Partial<Attempt> = {}): Journal =>
  record(emptyJournal(), {
    attempt: 1,
    at,
    durationMs: 1,
    outcome: 'no-answer',
    evidence: 'doubt',
    disposition: 'retry',
    ...more,
  });

test('a new write is sent', () => expect(admit(emptyJournal(), 0, WRITE, POLICY, NOW)).toBeUndefined());

test('a write is dead as crashed once more starts than are allowed left no record', () => {
  expect(admit(emptyJournal(), 5, WRITE, POLICY, NOW)).toBeUndefined();
  expect(admit(emptyJournal(), 6, WRITE, POLICY, NOW)).toMatchObject({ kind: 'dead', reason: 'crashed' });
  expect(admit(sent(NOW, { lost: 4 }), 2, WRITE, POLICY, NOW)).toMatchObject({ reason: 'crashed' });
});

test('a write past its own expiry is too late and not sent', () => {
  expect(admit(emptyJournal(), 0, { ...WRITE, expiresAt: NOW + 1 }, POLICY, NOW)).toBeUndefined();
  expect(admit(emptyJournal(), 0, { ...WRITE, expiresAt: NOW }, POLICY, NOW)).toMatchObject({ reason: 'too-late' });
});

test('a key that the API may have forgotten is not sent again: its life counts from the first send', () => {
  const life = POLICY.keyTtlMs - POLICY.timeoutMs - KEY_MARGIN_MS;
  expect(admit(sent(NOW - life + 1), 0, WRITE, POLICY, NOW)).toBeUndefined();
  expect(admit(sent(NOW - life), 0, WRITE, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
});

test('where a start went unrecorded, the life of the key counts from that start', () => {
  const long = { lostAt: NOW - POLICY.keyTtlMs };
  expect(admit(emptyJournal(), 0, long, POLICY, NOW)).toBeUndefined();
  expect(admit(emptyJournal(), 1, long, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
  const later = record(
    emptyJournal(),
    {
      attempt: 1,
      at: NOW - 1000,
      durationMs: 1,
      outcome: 'response',
      evidence: 'nothing',
      disposition: 'retry',
      lost: 1,
    },
    NOW - POLICY.keyTtlMs,
  );
  expect(admit(later, 0, {}, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
});

test('a write that never reached the API has a fresh key, however old it is and however often it was postponed', () => {
  const unsent = (disposition: 'retry' | 'postpone'): Partial<Attempt> => ({
    outcome: 'not-sent',
    evidence: 'nothing',
    disposition,
  });
  const old = NOW - 10 * POLICY.keyTtlMs;
  let journal = sent(old, unsent('postpone'));
  journal = record(journal, { attempt: 1, at: old, durationMs: 1, ...unsent('postpone') } as Attempt);
  journal = record(journal, { attempt: 1, at: old, durationMs: 1, ...unsent('retry') } as Attempt);
  expect(admit(journal, 0, {}, POLICY, NOW)).toBeUndefined();
  journal = record(journal, {
    attempt: 2,
    at: NOW - 1000,
    durationMs: 1,
    outcome: 'response',
    evidence: 'nothing',
    disposition: 'retry',
  });
  expect(journal.firstSentAt).toBe(NOW - 1000);
  expect(admit(journal, 0, {}, POLICY, NOW)).toBeUndefined();
});

test('a short key life keeps a margin in proportion', () => {
  expect(keyOutlives(NOW, { keyTtlMs: 1000 }, NOW + 899)).toBe(true);
  expect(keyOutlives(NOW, { keyTtlMs: 1000 }, NOW + 900)).toBe(false);
});

test('a key outlives any time while it was never sent', () =>
  expect(keyOutlives(undefined, POLICY, Number.MAX_SAFE_INTEGER)).toBe(true));

test.each([POLICY, { maxCrashes: 5, keyTtlMs: 1000, timeoutMs: 100 }])(
  'an attempt may start with a key until just before keyUsableUntil says (%j)',
  (policy) => {
    const until = keyUsableUntil(NOW, policy);
    expect(until).toBe(NOW + policy.keyTtlMs - policy.timeoutMs - Math.min(5000, policy.keyTtlMs / 10));
    expect(admit(sent(NOW), 0, {}, policy, until - 1)).toBeUndefined();
    expect(admit(sent(NOW), 0, {}, policy, until)).toMatchObject({ reason: 'key-expired' });
  },
);

test('why a write may not be sent is said with the numbers that decided', () => {
  expect(admit(sent(NOW, { lost: 4 }), 2, WRITE, POLICY, NOW)).toEqual({
    kind: 'dead',
    reason: 'crashed',
    because: '6 starts ended without a record; 5 are allowed',
  });
  expect(admit(emptyJournal(), 0, { expiresAt: NOW }, POLICY, NOW)).toEqual({
    kind: 'dead',
    reason: 'too-late',
    because: 'its expiry 2027-01-15T08:00:00.000Z has passed',
  });
  expect(admit(sent(NOW - POLICY.keyTtlMs), 0, {}, POLICY, NOW)).toEqual({
    kind: 'dead',
    reason: 'key-expired',
    because: 'the API may have forgotten its idempotency key',
  });
});
