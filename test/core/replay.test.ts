import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KEY_MARGIN_MS } from '../../core/admit.ts';
import { admitReplay, type ReplayFacts, type ReplayRequest } from '../../core/replay.ts';
import { verdictOf } from '../../core/verdict.ts';

const NOW = 1_800_000_000_000;
const FACTS: ReplayFacts = {
  generation: 0,
  verdict: 'not-applied',
  doubtIsFinal: false,
  sendable: true,
  rejection: 'none',
};
const IN_DOUBT: ReplayFacts = {
  ...FACTS,
  verdict: 'in-doubt',
  keyFirstSentAt: NOW - 1000,
  keyExpiresAt: NOW + 60_000,
};
const ask = (request: Partial<ReplayRequest> = {}): ReplayRequest => ({
  key: 'same',
  acceptDouble: false,
  ignoreExpiry: false,
  ...request,
});

describe('under its own key', () => {
  test('a write that was not applied is replayed as its next generation', () =>
    expect(admitReplay({ ...FACTS, generation: 2 }, ask(), NOW)).toEqual({
      allowed: true,
      journal: { generation: 3, attempts: [], postponed: 0, lost: 0 },
      doubleAccepted: false,
    }));

  test('the life of a key that the API still knows goes on', () =>
    expect(admitReplay({ ...FACTS, keyFirstSentAt: NOW - 1000, keyExpiresAt: NOW + 60_000 }, ask(), NOW)).toMatchObject(
      { journal: { firstSentAt: NOW - 1000 } },
    ));

  test('a key that the API has surely forgotten begins another life, where the write was not applied', () => {
    const facts = { ...FACTS, keyFirstSentAt: NOW - 90_000, keyExpiresAt: NOW - KEY_MARGIN_MS - 1 };
    const ruling = admitReplay(facts, ask(), NOW);
    expect(ruling).toMatchObject({ allowed: true, doubleAccepted: false });
    expect(ruling).not.toHaveProperty('journal.firstSentAt');
  });

  test('a write in doubt is replayed while its key lives, and stays in doubt until the API settles it', () => {
    const ruling = admitReplay(IN_DOUBT, ask(), NOW);
    expect(ruling).toMatchObject({ allowed: true, journal: { doubtBefore: 'settleable', firstSentAt: NOW - 1000 } });
    expect(ruling.allowed && verdictOf(ruling.journal)).toBe('in-doubt');
  });

  test('a write in doubt whose key may be forgotten is refused', () =>
    expect(admitReplay({ ...IN_DOUBT, keyExpiresAt: NOW + KEY_MARGIN_MS }, ask(), NOW)).toMatchObject({
      allowed: false,
      refusal: 'KEY_EXPIRED',
    }));

  test('a double application that a person accepted leaves the write in doubt for good', () => {
    const ruling = admitReplay({ ...IN_DOUBT, keyExpiresAt: NOW - 1 }, ask({ acceptDouble: true }), NOW);
    expect(ruling).toMatchObject({ allowed: true, doubleAccepted: true, journal: { doubtBefore: 'final' } });
  });

  test.each([
    ['stored', 'a new key is needed'],
    ['fresh', 'a new key is judged anew'],
  ] as const)('of a %s rejection the operator is told: %s', (rejection, words) =>
    expect(admitReplay({ ...FACTS, rejection }, ask(), NOW)).toMatchObject({
      allowed: true,
      advice: expect.stringContaining(words) as string,
    }),
  );
});

describe('under a new key', () => {
  test('a write that was not applied starts anew', () =>
    expect(admitReplay({ ...FACTS, generation: 4 }, ask({ key: 'new' }), NOW)).toMatchObject({
      allowed: true,
      journal: { generation: 0 },
    }));

  test.each([
    ['in-doubt', 'IN_DOUBT'],
    ['applied-once', 'APPLIED'],
  ] as const)('a write that is %s is refused', (verdict, refusal) =>
    expect(admitReplay({ ...IN_DOUBT, verdict }, ask({ key: 'new' }), NOW)).toMatchObject({ allowed: false, refusal }),
  );
});

test('what is no write can never be replayed', () =>
  expect(admitReplay({ ...FACTS, sendable: false }, ask({ acceptDouble: true }), NOW)).toMatchObject({
    refusal: 'NOT_A_WRITE',
  }));

test('a write past its own expiry is replayed only when that is ignored', () => {
  const late = { ...FACTS, expiresAt: NOW };
  expect(admitReplay(late, ask(), NOW)).toMatchObject({ allowed: false, refusal: 'TOO_LATE' });
  expect(admitReplay(late, ask({ ignoreExpiry: true }), NOW)).toMatchObject({ allowed: true });
});

test('nothing can be applied twice unless a person accepted it', () => {
  fc.assert(
    fc.property(
      fc.record({
        verdict: fc.constantFrom('applied-once', 'not-applied', 'in-doubt'),
        generation: fc.nat(9),
        doubtIsFinal: fc.boolean(),
        keyAgeMs: fc.integer({ min: 0, max: 200_000 }),
        key: fc.constantFrom('same', 'new'),
        acceptDouble: fc.boolean(),
      }),
      ({ verdict, generation, doubtIsFinal, keyAgeMs, key, acceptDouble }) => {
        const keyFirstSentAt = NOW - keyAgeMs;
        const keyExpiresAt = keyFirstSentAt + 100_000;
        const facts: ReplayFacts = {
          verdict: doubtIsFinal ? 'in-doubt' : verdict,
          generation,
          doubtIsFinal,
          sendable: true,
          keyFirstSentAt,
          keyExpiresAt,
          rejection: 'none',
        };
        const ruling = admitReplay(facts, { key, acceptDouble, ignoreExpiry: false }, NOW);
        const safe = facts.verdict === 'not-applied' || (key === 'same' && NOW + KEY_MARGIN_MS < keyExpiresAt);
        expect(ruling.allowed).toBe(safe || acceptDouble);
        if (!ruling.allowed) return;
        expect(ruling.doubleAccepted).toBe(!safe);
        // What was in doubt is never called not applied by the replay alone.
        expect(verdictOf(ruling.journal)).toBe(facts.verdict === 'not-applied' ? 'not-applied' : 'in-doubt');
        if (!safe || doubtIsFinal) expect(ruling.journal.doubtBefore).toBe('final');
      },
    ),
  );
});
