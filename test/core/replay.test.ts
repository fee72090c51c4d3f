import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, KEY_MARGIN_MS, keyUsableUntil } from '../../core/admit.ts';
import { type Attempt, emptyJournal, type Journal, record } from '../../core/journal.ts';
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
  keyUsableUntil: NOW + 40_000,
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
    expect(admitReplay({ ...IN_DOUBT, verdict: 'not-applied' }, ask(), NOW)).toMatchObject({
      journal: { firstSentAt: NOW - 1000 },
    }));

  test('a key that the API has surely forgotten begins another life, where the write was not applied', () => {
    const facts = { ...FACTS, ...life(180_000, 90_000 - KEY_MARGIN_MS) };
    const ruling = admitReplay(facts, ask(), NOW);
    expect(ruling).toMatchObject({ allowed: true, doubleAccepted: false });
    expect(ruling).not.toHaveProperty('journal.firstSentAt');
  });

  test('a write in doubt is replayed while its key lives, and stays in doubt until the API settles it', () => {
    const ruling = admitReplay(IN_DOUBT, ask(), NOW);
    expect(ruling).toMatchObject({ allowed: true, journal: { doubtBefore: 'settleable', firstSentAt: NOW - 1000 } });
    expect(ruling.allowed && verdictOf(ruling.journal)).toBe('in-doubt');
  });

  test('a write in doubt is refused from when an attempt may no longer start with its key', () =>
    expect(admitReplay({ ...IN_DOUBT, keyUsableUntil: NOW }, ask(), NOW)).toMatchObject({
      allowed: false,
      refusal: 'KEY_EXPIRED',
    }));

  test('a write that was not applied waits in the moment in which the API forgets its key', () =>
    expect(
      admitReplay({ ...IN_DOUBT, verdict: 'not-applied', keyUsableUntil: NOW, keyExpiresAt: NOW + 500 }, ask(), NOW),
    ).toMatchObject({ allowed: false, refusal: 'KEY_ENDING' }));

  test('a double application that a person accepted leaves the write in doubt for good', () => {
    const ruling = admitReplay({ ...IN_DOUBT, keyUsableUntil: NOW - 1 }, ask({ acceptDouble: true }), NOW);
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

describe('a ruling in full', () => {
  const ENDED: ReplayFacts = { ...IN_DOUBT, keyUsableUntil: NOW - 60_000, keyExpiresAt: NOW - 1000 };
  const same = (facts: ReplayFacts, request: Partial<ReplayRequest> = {}) => admitReplay(facts, ask(request), NOW);
  const anew = (facts: ReplayFacts, request: Partial<ReplayRequest> = {}) => same(facts, { key: 'new', ...request });

  test('a new generation in doubt has the doubt and the life of its key, and nothing else of the one before', () => {
    const begun = { generation: 1, attempts: [], postponed: 0, lost: 0 };
    expect(same(IN_DOUBT)).toStrictEqual({
      allowed: true,
      journal: { ...begun, doubtBefore: 'settleable', firstSentAt: NOW - 1000 },
      doubleAccepted: false,
    });
    expect(same({ ...FACTS, verdict: 'in-doubt', doubtIsFinal: true })).toMatchObject({
      journal: { doubtBefore: 'final' },
    });
    expect(same(FACTS)).toStrictEqual({ allowed: true, journal: begun, doubleAccepted: false });
    expect(same(ENDED, { acceptDouble: true })).toStrictEqual({
      allowed: true,
      journal: { ...begun, doubtBefore: 'final' },
      doubleAccepted: true,
    });
  });

  test('a write under a new key begins at generation 0, in doubt for good where it was not surely not applied', () => {
    const begun = { generation: 0, attempts: [], postponed: 0, lost: 0 };
    const settled = { allowed: true, journal: begun, doubleAccepted: false };
    expect(anew({ ...FACTS, generation: 3 })).toStrictEqual(settled);
    expect(anew({ ...FACTS, generation: 3 }, { acceptDouble: true })).toStrictEqual(settled);
    expect(anew({ ...IN_DOUBT, generation: 3 }, { acceptDouble: true })).toStrictEqual({
      allowed: true,
      journal: { ...begun, doubtBefore: 'final' },
      doubleAccepted: true,
    });
  });

  test('of a write that was not applied under a key that the API forgets, the last refused moment is that of the margin', () => {
    const endsAt = NOW - KEY_MARGIN_MS - 60_000;
    const begun = { keyFirstSentAt: endsAt - 60_000, keyUsableUntil: endsAt - 10_000, keyExpiresAt: endsAt };
    const ending = { ...IN_DOUBT, verdict: 'not-applied' as const, ...begun };
    expect(same(ending)).toEqual({
      allowed: false,
      refusal: 'KEY_ENDING',
      because: 'the API is about to forget its key; it has at 2027-01-15T08:00:00.000Z',
    });
    expect(same({ ...ending, keyExpiresAt: endsAt - 1 })).toMatchObject({ allowed: true });
  });

  test('of a write that was not applied under a key whose end is not known, no time is told that moves with the asking', () => {
    const { keyExpiresAt: _, keyUsableUntil: __, ...unknown } = { ...IN_DOUBT, verdict: 'not-applied' as const };
    for (const now of [NOW, NOW + 1e9])
      expect(admitReplay(unknown, ask(), now)).toEqual({
        allowed: false,
        refusal: 'KEY_ENDING',
        because: 'it is not known when the API forgets its key',
      });
    expect(anew(unknown)).toMatchObject({ allowed: true });
  });

  test('a key of which nobody knows until when it may be used is used no more', () => {
    const { keyUsableUntil: _, ...unknown } = IN_DOUBT;
    expect(same(unknown)).toMatchObject({ allowed: false, refusal: 'KEY_EXPIRED' });
  });

  test.each(['in-doubt', 'applied-once'] as const)(
    'a write that is %s goes out under a key that nobody knows the age of only where a person accepts a double application',
    (verdict) => {
      const state = verdict === 'in-doubt' ? 'may have been applied' : 'was applied';
      expect(same({ ...FACTS, verdict })).toEqual({
        allowed: false,
        refusal: 'KEY_EXPIRED',
        because: `the write ${state}, and it is not known since when the API has its key: it could be applied twice`,
      });
      expect(same({ ...FACTS, verdict }, { acceptDouble: true })).toMatchObject({
        allowed: true,
        doubleAccepted: true,
        journal: { doubtBefore: 'final' },
      });
    },
  );

  test('a double application that was accepted is not asked for again before anything has reached the API', () =>
    expect(same({ ...FACTS, verdict: 'in-doubt', doubtIsFinal: true })).toMatchObject({
      allowed: true,
      doubleAccepted: false,
    }));

  const STORED =
    'the API answers this key with its stored rejection: the same key will be rejected again, a new key is needed';
  const FRESH = 'the API may give this key its stored rejection again; a new key is judged anew';
  const ACCEPT = ', which could apply a write in doubt twice: that must be accepted';
  test.each([
    ['stored', 'not-applied', STORED],
    ['fresh', 'not-applied', FRESH],
    ['stored', 'in-doubt', STORED + ACCEPT],
    ['fresh', 'in-doubt', FRESH + ACCEPT],
  ] as const)('the advice about a %s rejection of a write that is %s', (rejection, verdict, advice) => {
    expect(same({ ...IN_DOUBT, rejection, verdict })).toMatchObject({ allowed: true, advice });
    const forgotten = { ...ENDED, keyExpiresAt: NOW - KEY_MARGIN_MS - 1, rejection, verdict };
    if (verdict === 'not-applied') expect(same(forgotten)).toMatchObject({ allowed: true, advice });
  });

  test.each<[string, ReplayFacts, Partial<ReplayRequest>, string]>([
    [
      'NOT_A_WRITE',
      { ...FACTS, sendable: false },
      {},
      'what stood in the queue was no write; it can only be discarded',
    ],
    ['TOO_LATE', { ...FACTS, expiresAt: NOW }, {}, 'its own expiry 2027-01-15T08:00:00.000Z has passed'],
    ['TOO_LATE', { ...FACTS, expiresAt: -1e16 }, {}, 'its own expiry (no time) has passed'],
    [
      'APPLIED',
      { ...FACTS, verdict: 'applied-once' },
      { key: 'new' },
      'the write was applied: under a new key it would be applied twice',
    ],
    [
      'IN_DOUBT',
      IN_DOUBT,
      { key: 'new' },
      'the write may have been applied: under a new key it could be applied twice',
    ],
    [
      'KEY_EXPIRED',
      ENDED,
      {},
      'the write may have been applied, and the API may have forgotten its key (since 2027-01-15T07:59:59.000Z): it could be applied twice',
    ],
    [
      'KEY_EXPIRED',
      { ...ENDED, verdict: 'applied-once' },
      {},
      'the write was applied, and the API may have forgotten its key (since 2027-01-15T07:59:59.000Z): it could be applied twice',
    ],
  ])('a refusal (%s) says why', (refusal, facts, request, because) =>
    expect(same(facts, request)).toEqual({ allowed: false, refusal, because }),
  );

  test('a write is not too late before its expiry', () =>
    expect(same({ ...FACTS, expiresAt: NOW + 1 })).toMatchObject({ allowed: true }));
});

/** How an API that keeps keys for TTL_MS sees a write: it applies it under each life of each key at most once. */
const TTL_MS = 100_000;
const TIMEOUT_MS = 1000;
const POLICY = { keyTtlMs: TTL_MS, timeoutMs: TIMEOUT_MS, maxCrashes: 5 };

class Api {
  applications = 0;
  readonly #keys = new Map<string, number>();

  send(key: string, at: number): void {
    const since = this.#keys.get(key);
    if (since !== undefined && at < since + TTL_MS) return;
    this.#keys.set(key, at);
    this.applications += 1;
  }
}

test('whatever is replayed when and how, an API with keys applies a write once, unless a person accepted a second time', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 150_000 }),
    key: fc.constantFrom('same', 'new'),
    acceptDouble: fc.boolean(),
    /** What the send of this generation comes to: applied and told, applied and not told, or nothing reached the API. */
    end: fc.constantFrom('told', 'lost', 'nothing'),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const api = new Api();
      let now = NOW;
      let key = 0;
      let accepted = 0;
      let journal: Journal = emptyJournal();
      let applied = false;
      const send = (end: (typeof steps)[number]['end']): void => {
        if (admit(journal, 0, {}, POLICY, now)) return;
        if (end === 'nothing') {
          journal = record(journal, entry(now, 'not-sent', 'nothing'));
          return;
        }
        api.send(`key ${key}`, now);
        if (end === 'told') applied = true;
        journal = record(
          journal,
          entry(now, end === 'told' ? 'response' : 'no-answer', end === 'told' ? 'applied' : 'doubt'),
        );
      };
      send(steps[0]?.end ?? 'lost');
      for (const { waitMs, key: kind, acceptDouble, end } of steps) {
        // Delivered: it is dead no more, and nobody can replay it.
        if (applied) break;
        now += waitMs;
        const sentAt = journal.firstSentAt;
        const facts: ReplayFacts = {
          generation: journal.generation,
          verdict: verdictOf(journal),
          doubtIsFinal: journal.doubtBefore === 'final',
          sendable: true,
          rejection: 'none',
          ...(sentAt !== undefined && {
            keyFirstSentAt: sentAt,
            keyUsableUntil: keyUsableUntil(sentAt, POLICY),
            keyExpiresAt: sentAt + TTL_MS,
          }),
        };
        const ruling = admitReplay(facts, { key: kind, acceptDouble, ignoreExpiry: false }, now);
        if (!ruling.allowed) continue;
        if (ruling.doubleAccepted) accepted += 1;
        if (kind === 'new') key += 1;
        journal = ruling.journal;
        send(end);
      }
      expect(api.applications).toBeLessThanOrEqual(1 + accepted);
      if (accepted > 0) expect(verdictOf(journal)).toBe('in-doubt');
      else if (verdictOf(journal) === 'not-applied') expect(api.applications).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

const entry = (at: number, outcome: Attempt['outcome'], evidence: Attempt['evidence']): Attempt => ({
  attempt: 1,
  at,
  durationMs: 1,
  outcome,
  evidence,
  disposition: 'dead',
});

/** A key that was first sent `ageMs` ago, and lives `ttlMs`. */
function life(ageMs: number, ttlMs: number) {
  const keyFirstSentAt = NOW - ageMs;
  return { keyFirstSentAt, keyUsableUntil: keyFirstSentAt + ttlMs - 6000, keyExpiresAt: keyFirstSentAt + ttlMs };
}
