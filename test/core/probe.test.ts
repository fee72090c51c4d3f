import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, keyUsableUntil } from '../../core/admit.ts';
import { decide, type Policy } from '../../core/decide.ts';
import { type Attempt, emptyJournal, type Journal, record } from '../../core/journal.ts';
import type { Outcome } from '../../core/outcome.ts';
import { admitProbe, type ProbeRuling } from '../../core/probe.ts';
import { admitReplay, type ReplayFacts } from '../../core/replay.ts';
import { evidenceOf, verdictOf, verdictOfDelivered } from '../../core/verdict.ts';

const NOW = 1_800_000_000_000;
const POLICY: Policy = {
  maxAttempts: 5,
  baseMs: 1000,
  capMs: 30_000,
  jitter: 0.2,
  retryAfterCapMs: 3_600_000,
  timeoutMs: 1000,
  keyTtlMs: 100_000,
  inProgressCodes: ['IDEMPOTENCY_IN_PROGRESS'],
  unappliedStatuses: [503],
  maxCrashes: 5,
};
const IN_DOUBT: ReplayFacts = {
  generation: 2,
  verdict: 'in-doubt',
  doubtIsFinal: false,
  sendable: true,
  keyFirstSentAt: NOW - 1000,
  keyUsableUntil: NOW + 40_000,
  keyExpiresAt: NOW + 60_000,
  rejection: 'none',
};

const answer = (status: number, more: Partial<Outcome & { kind: 'response' }> = {}): Outcome => ({
  kind: 'response',
  status,
  durationMs: 5,
  replayed: false,
  ...more,
});
const inProgress = answer(409, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' } });
const NO_ANSWER: Outcome = { kind: 'no-answer', code: 'ECONNRESET', durationMs: 5 };
const NOT_SENT: Outcome = { kind: 'not-sent', code: 'ECONNREFUSED', durationMs: 5 };

describe('a probe', () => {
  test('of a write in doubt whose key lives begins its next generation, which keeps the doubt and the life of the key', () =>
    expect(admitProbe(IN_DOUBT, NOW)).toEqual({
      allowed: true,
      journal: {
        generation: 3,
        attempts: [],
        postponed: 0,
        lost: 0,
        firstSentAt: NOW - 1000,
        doubtBefore: 'settleable',
        probe: true,
      },
    }));

  test.each<[string, Partial<ReplayFacts>, string, RegExp]>([
    ['what is no write', { sendable: false }, 'NOT_A_WRITE', /only be discarded/],
    [
      'what was not applied',
      { verdict: 'not-applied' },
      'NOT_IN_DOUBT',
      /its verdict is not-applied: there is no doubt/,
    ],
    ['what was applied', { verdict: 'applied-once' }, 'NOT_IN_DOUBT', /its verdict is applied-once/],
    ['what an operator let be applied twice', { doubtIsFinal: true }, 'DOUBT_FINAL', /no answer settles that/],
    ['a write past its own expiry', { expiresAt: NOW }, 'TOO_LATE', /2027-01-15T08:00:00.000Z has passed/],
    ['a key that ends within an attempt', { keyUsableUntil: NOW }, 'KEY_ENDING', /until 2027-01-15T08:01:00.000Z, too/],
    ['a key of the past', { keyUsableUntil: NOW - 60_000, keyExpiresAt: NOW }, 'KEY_EXPIRED', /since 2027-01-15T08:00/],
  ])('of %s is refused', (_, facts, refusal, because) =>
    expect(admitProbe({ ...IN_DOUBT, ...facts }, NOW)).toEqual({
      allowed: false,
      refusal,
      because: expect.stringMatching(because) as string,
    }),
  );

  test('of a key whose beginning or end is not known is refused', () => {
    const { keyFirstSentAt: _, ...noBeginning } = IN_DOUBT;
    const { keyUsableUntil: __, ...noEnd } = IN_DOUBT;
    for (const facts of [noBeginning, noEnd])
      expect(admitProbe(facts, NOW)).toEqual({
        allowed: false,
        refusal: 'KEY_EXPIRED',
        because: 'it is not known since when the API has its key: it could be applied twice',
      });
  });

  test('of a write whose expiry is to come is allowed until then', () =>
    expect(admitProbe({ ...IN_DOUBT, expiresAt: NOW + 1 }, NOW).allowed).toBe(true));

  test('is told where the API will most likely repeat what settles nothing', () => {
    expect(admitProbe({ ...IN_DOUBT, rejection: 'stored' }, NOW)).toMatchObject({
      allowed: true,
      advice: expect.stringContaining('will most likely repeat it') as string,
    });
    expect(admitProbe({ ...IN_DOUBT, rejection: 'fresh' }, NOW)).not.toHaveProperty('advice');
  });
});

const begun = (): Journal => {
  const ruling = admitProbe(IN_DOUBT, NOW);
  return ruling.allowed ? ruling.journal : emptyJournal();
};

describe('the one attempt of a probe', () => {
  test.each<[string, ReturnType<typeof verdictOf>, Outcome]>([
    ['a 400', 'not-applied', answer(400)],
    ['a 422 that is stored', 'not-applied', answer(422, { replayed: true })],
    ['a 403', 'in-doubt', answer(403)],
    ['a 429', 'in-doubt', answer(429, { retryAfterMs: 10 })],
    ['a 503', 'in-doubt', answer(503)],
    ['a 500', 'in-doubt', answer(500)],
    ['no answer', 'in-doubt', NO_ANSWER],
    ['no connection', 'in-doubt', NOT_SENT],
  ])('that got %s is the last one, and leaves the write %s', (_, verdict, outcome) => {
    expect(decide(outcome, begun(), 5, POLICY, NOW, 0.5).kind).toBe('dead');
    expect(verdictOf(record(begun(), entryOf(outcome, NOW, 'dead')))).toBe(verdict);
  });

  test('that proves nothing says why nothing else was tried', () =>
    expect(decide(answer(503), begun(), 5, POLICY, NOW, 0.5)).toEqual({
      kind: 'dead',
      reason: 'exhausted',
      because: 'HTTP 503; a probe has one attempt',
    }));

  test('that got a 2xx delivers the write, applied once', () => {
    expect(decide(answer(200, { replayed: true }), begun(), 5, POLICY, NOW, 0.5)).toEqual({ kind: 'delivered' });
    expect(verdictOfDelivered(begun())).toBe('applied-once');
  });

  test.each<[string, Outcome]>([
    ['the API is still processing the key', inProgress],
    ['the worker is stopped', { kind: 'no-answer', code: 'UND_ERR_DESTROYED', durationMs: 5 }],
    ['our own machine has no sockets left', { kind: 'not-sent', code: 'EMFILE', durationMs: 5 }],
  ])('is not spent while %s, and stays the only one', (_, outcome) => {
    expect(decide(outcome, begun(), 5, POLICY, NOW, 0.5).kind).toBe('postpone');
    const postponed = record(begun(), entryOf(outcome, NOW, 'postpone'));
    expect(decide(answer(503), postponed, 5, POLICY, NOW, 0.5)).toMatchObject({ kind: 'dead', reason: 'exhausted' });
  });
});

const facts = fc.record(
  {
    generation: fc.nat({ max: 3 }),
    verdict: fc.constantFrom<ReplayFacts['verdict'][]>('applied-once', 'not-applied', 'in-doubt'),
    doubtIsFinal: fc.boolean(),
    sendable: fc.boolean(),
    keyFirstSentAt: fc.integer({ min: NOW - 200_000, max: NOW }),
    keyUsableUntil: fc.integer({ min: NOW - 2, max: NOW + 2 }),
    keyExpiresAt: fc.integer({ min: NOW - 2, max: NOW + 4 }),
    expiresAt: fc.integer({ min: NOW - 2, max: NOW + 2 }),
    rejection: fc.constantFrom<ReplayFacts['rejection'][]>('none', 'fresh', 'stored'),
  },
  { requiredKeys: ['generation', 'verdict', 'doubtIsFinal', 'sendable', 'rejection'] },
);

test('a probe is allowed only where a replay under the same key is, and a doubt can be settled', () =>
  fc.assert(
    fc.property(facts, (given) => {
      if (!admitProbe(given, NOW).allowed) return;
      const replay = admitReplay(given, { key: 'same', acceptDouble: false, ignoreExpiry: false }, NOW);
      expect(replay).toMatchObject({ allowed: true, doubleAccepted: false, journal: { doubtBefore: 'settleable' } });
      expect(given.verdict).toBe('in-doubt');
    }),
    { numRuns: 5000 },
  ));

/** An API that keeps a key for its life, and applies a write under each life of each key once. */
class Api {
  applications = 0;
  readonly #keys = new Map<string, number>();

  apply(key: string, at: number): void {
    const since = this.#keys.get(key);
    if (since !== undefined && at < since + POLICY.keyTtlMs) return;
    this.#keys.set(key, at);
    this.applications += 1;
  }
}

const END = {
  /** Nothing reached the API. */
  unsent: { applies: false, outcome: NOT_SENT },
  refused: { applies: false, outcome: answer(403) },
  /** Something was, and nobody knows whether it was applied. */
  unanswered: { applies: true, outcome: NO_ANSWER },
  failed: { applies: true, outcome: answer(502) },
  /** Its worker died behind the send: no entry at all. */
  lost: { applies: true, outcome: undefined },
};

test('whenever a write is probed, and however long it waits for its worker, it is applied once; one that may have been applied twice is never probed', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 60_000 }),
    inQueueMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60_000 })),
    /** What an operator does: a probe, or a replay with everything accepted. */
    act: fc.constantFrom('probe', 'probe', 'same', 'new'),
    end: fc.constantFrom(...Object.values(END)),
  });
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(END)), fc.array(step, { maxLength: 8 }), (first, steps) => {
      const api = new Api();
      let now = NOW;
      let key = 0;
      let accepted = 0;
      let journal: Journal = emptyJournal();
      let lost = 0;
      let lostAt: number | undefined;
      /** What is sent at once, the ruling alone has let through; what waited, the worker asks about again. */
      const send = (end: (typeof END)[keyof typeof END], hasWaited: boolean): void => {
        const known = { ...(lostAt !== undefined && { lostAt }) };
        if (hasWaited && admit(journal, lost, known, POLICY, now)) return;
        if (end.applies) api.apply(`key ${key}`, now);
        if (!end.outcome) {
          lost += 1;
          lostAt ??= now;
          return;
        }
        journal = record(journal, { ...entryOf(end.outcome, now, 'dead'), ...(lost > 0 && { lost }) }, lostAt);
        lost = 0;
        lostAt = undefined;
      };
      send(first, false);
      for (const { waitMs, inQueueMs, act, end } of steps) {
        now += waitMs;
        const sentAt = Math.min(journal.firstSentAt ?? Infinity, lostAt ?? Infinity);
        const known: ReplayFacts = {
          generation: journal.generation,
          verdict: verdictOf(journal, lost),
          doubtIsFinal: journal.doubtBefore === 'final',
          sendable: true,
          rejection: 'none',
          ...(sentAt < Infinity && {
            keyFirstSentAt: sentAt,
            keyUsableUntil: keyUsableUntil(sentAt, POLICY),
            keyExpiresAt: sentAt + POLICY.keyTtlMs,
          }),
        };
        const ruling =
          act === 'probe'
            ? admitProbe(known, now)
            : admitReplay(known, { key: act, acceptDouble: true, ignoreExpiry: false }, now);
        if (!ruling.allowed) continue;
        if (act === 'probe') expect(accepted).toBe(0);
        if ('doubleAccepted' in ruling && ruling.doubleAccepted) accepted += 1;
        if (act === 'new') key += 1;
        ({ journal } = ruling);
        lost = 0;
        lostAt = undefined;
        now += inQueueMs;
        send(end, inQueueMs > 0);
      }
      expect(api.applications).toBeLessThanOrEqual(1 + accepted);
    }),
    { numRuns: 3000 },
  );
});

test('a probe leaves no mark on a replay of the letter that it leaves behind', () => {
  const dead = record(begun(), entryOf(NO_ANSWER, NOW, 'dead'));
  const after: ReplayFacts = { ...IN_DOUBT, generation: dead.generation, verdict: verdictOf(dead) };
  const again = admitReplay(after, { key: 'same', acceptDouble: false, ignoreExpiry: false }, NOW);
  expect(again).toMatchObject({ allowed: true, journal: { generation: 4, doubtBefore: 'settleable' } });
  expect(again).not.toHaveProperty('journal.probe');
  const probedAgain: ProbeRuling = admitProbe(after, NOW);
  expect(probedAgain).toMatchObject({ allowed: true, journal: { generation: 4, probe: true } });
});

function entryOf(outcome: Outcome, at: number, disposition: Attempt['disposition']): Attempt {
  return {
    attempt: 1,
    at,
    durationMs: 5,
    outcome: outcome.kind,
    evidence: evidenceOf(outcome, POLICY, true),
    disposition,
  };
}
