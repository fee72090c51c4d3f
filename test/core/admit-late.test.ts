// A worker that stood still between taking a write and sending it: whoever took the write meanwhile has sent its key.
import { expect, test } from 'vitest';
import { admit } from '../../core/admit.ts';
import { emptyJournal } from '../../core/journal.ts';

const NOW = 1_800_000_000_000;
const POLICY = { maxCrashes: 5, keyTtlMs: 60_000, timeoutMs: 15_000 };

test('a write that was taken so long ago that another worker may have sent its key, which ended since, is not sent', () => {
  expect(admit(emptyJournal(), 0, { takenAt: NOW - 40_000 }, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
  expect(admit(emptyJournal(), 0, { takenAt: NOW - 39_999 }, POLICY, NOW)).toBeUndefined();
});

test('a lost start of another generation, noted while it stood still, does not make the key live longer', () => {
  const limits = { takenAt: NOW - 40_000, lostAt: NOW - 1000 };
  expect(admit(emptyJournal(), 1, limits, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
});

test('a first send that is known counts before the time of taking', () => {
  const journal = { ...emptyJournal(), firstSentAt: NOW - 40_000 };
  expect(admit(journal, 0, { takenAt: NOW }, POLICY, NOW)).toMatchObject({ reason: 'key-expired' });
});
