// The simulation holds for the rules as they are, and catches each of them when it is broken.
import { describe, expect, test } from 'vitest';
import { emptyJournal, type Journal } from '../../core/journal.ts';
import { play, seedOf } from './history.ts';
import { RULES, type Rules } from './rules.ts';
import { Tally } from './tally.ts';

const HISTORIES = 5000;
/** A broken rule may hide for so long. */
const WITHIN = 20_000;

/** @returns what the first history found that breaks a promise, and its seed */
function firstBroken(seed: number, count: number, rules: Rules, tally = new Tally()): string | undefined {
  for (let n = 0; n < count; n++) {
    const found = play(seedOf(seed, n), rules, tally);
    if (found !== undefined) return `history ${seedOf(seed, n)}: ${found}`;
  }
  return undefined;
}

test('no history breaks a promise, and every branch of every rule is reached', () => {
  const tally = new Tally();
  expect(firstBroken(20_261_123, HISTORIES, RULES, tally)).toBeUndefined();
  for (const branch of [
    'admit: crashed',
    'admit: key-expired',
    'admit: too-late',
    'decide: 201 (stored) delivered',
    'decide: 302 dead rejected',
    'decide: 409 dead rejected',
    'decide: 409 postpone',
    'decide: 429 retry',
    'decide: 500 (stored) dead rejected',
    'decide: 503 dead exhausted',
    'decide: no-answer WAYBILL_DEADLINE retry',
    'decide: no-answer WAYBILL_SHUTDOWN postpone',
    'decide: not-sent EMFILE postpone',
    'decide: not-sent UND_ERR_INVALID_ARG dead invalid',
    'evidence: after the life of the key',
    'replay: new key, double accepted',
    'probe',
    'probe: refused KEY_ENDING',
    'replay: same key',
    'replay: the key begins another life',
    'replay: refused KEY_ENDING',
    'settle: refused, the lock is lost',
    'taken back',
    'zombie',
  ]) {
    expect(tally.get(branch), branch).toBeGreaterThan(0);
  }
});

test('a seed plays the same history again, step by step', () => {
  const first: string[] = [];
  const second: string[] = [];
  play(4711, RULES, new Tally(), (line) => first.push(line));
  play(4711, RULES, new Tally(), (line) => second.push(line));
  expect(first.length).toBeGreaterThan(2);
  expect(second).toEqual(first);
});

const { admit, decide, record, evidenceOf, verdictOf, admitReplay } = RULES;
const withoutLost = (journal: Journal): Journal => ({ ...journal, lost: 0 });

/** Each a rule that somebody might have written, and what it breaks. */
const BROKEN: [name: string, rules: Partial<Rules>, breaks: RegExp][] = [
  [
    'an admit that ignores the life of the key',
    {
      admit: (journal, lost, write, policy, now) => admit(journal, lost, write, { ...policy, keyTtlMs: Infinity }, now),
    },
    /key life|I3/,
  ],
  [
    'an admit that trusts a worker which stood still',
    { admit: (journal, lost, { takenAt: _, ...write }, policy, now) => admit(journal, lost, write, policy, now) },
    /key life|I3/,
  ],
  [
    'an admit that leaves no time for the attempt',
    {
      admit: (journal, lost, write, policy, now) => admit(journal, lost, write, { ...policy, timeoutMs: 0 }, now),
    },
    /key life|I3/,
  ],
  [
    'an admit that ignores the expiry',
    { admit: (journal, lost, { expiresAt: _, ...write }, policy, now) => admit(journal, lost, write, policy, now) },
    /expiry/,
  ],
  [
    'an admit that forgets the crashes before the last entry',
    { admit: (journal, lost, write, policy, now) => admit(withoutLost(journal), lost, write, policy, now) },
    /I11/,
  ],
  [
    'an admit that gives up one crash too early',
    {
      admit: (journal, lost, write, policy, now) =>
        admit(journal, lost, write, { ...policy, maxCrashes: policy.maxCrashes - 1 }, now),
    },
    /I11/,
  ],
  [
    'a decide that takes an answer 302 for a delivery',
    {
      decide: (outcome, ...rest) =>
        outcome.kind === 'response' && outcome.status === 302 ? { kind: 'delivered' } : decide(outcome, ...rest),
    },
    /I4/,
  ],
  [
    'a decide that sends a stored rejection again',
    {
      decide: (outcome, ...rest) =>
        decide(outcome.kind === 'response' && outcome.replayed ? { ...outcome, replayed: false } : outcome, ...rest),
    },
    /retry after|exhausted/,
  ],
  [
    'a decide that grants one attempt more',
    {
      decide: (outcome, journal, maxAttempts, ...rest) => decide(outcome, journal, maxAttempts + 1, ...rest),
    },
    /retry after/,
  ],
  [
    'a decide that draws the jitter twice',
    {
      decide: (outcome, journal, maxAttempts, policy, now, random) =>
        decide(outcome, journal, maxAttempts, { ...policy, jitter: policy.jitter * 2 }, now, random),
    },
    /I8/,
  ],
  [
    'a decide that ignores Retry-After',
    {
      decide: (outcome, journal, maxAttempts, policy, now, random) =>
        decide(outcome, journal, maxAttempts, { ...policy, retryAfterCapMs: 0 }, now, random),
    },
    /I8/,
  ],
  [
    'evidence that takes every 5xx for unapplied',
    {
      evidenceOf: (outcome, policy, alive) =>
        evidenceOf(outcome, { ...policy, unappliedStatuses: [500, 502, 503, 504] }, alive),
    },
    /I5|I3/,
  ],
  [
    'evidence that finds no doubt in a missing answer',
    { evidenceOf: (outcome, ...rest) => (outcome.kind === 'no-answer' ? 'nothing' : evidenceOf(outcome, ...rest)) },
    /I5|I3/,
  ],
  ['a verdict that ignores lost starts', { verdictOf: (journal) => verdictOf(journal, 0) }, /I5|I3/],
  [
    'a verdict that ignores the generation before',
    { verdictOf: ({ doubtBefore: _, ...journal }, lost) => verdictOf(journal, lost) },
    /I5|I3/,
  ],
  ['a verdict of every delivery that it was applied once', { verdictOfDelivered: () => 'applied-once' }, /I5/],
  [
    'a journal that forgets lost starts',
    { record: (journal, { lost: _, ...entry }, lostAt) => record(journal, entry, lostAt) },
    /I5|I6/,
  ],
  ['a count of starts that misses the lost ones', { unrecordedStarts: () => 0 }, /I6/],
  [
    'a journal that forgets when the key was first sent',
    {
      record: (journal, entry, lostAt) => {
        const { firstSentAt: _, ...rest } = record(journal, entry, lostAt);
        return rest;
      },
    },
    /key life|I3/,
  ],
  [
    'a journal that forgets the doubt of a postponed send',
    {
      record: (journal, entry, lostAt) => {
        const { postponedInDoubt: _, ...rest } = record(journal, entry, lostAt);
        return rest;
      },
    },
    /I5|I3/,
  ],
  [
    'a replay under a new key that nobody has to accept',
    {
      admitReplay: (facts, request, now) =>
        request.key === 'new'
          ? { allowed: true, journal: emptyJournal(), doubleAccepted: false }
          : admitReplay(facts, request, now),
    },
    /I3/,
  ],
  [
    'a replay that takes a key for forgotten when its first send is a life ago',
    {
      admitReplay: (facts, request, now) => {
        const { keyFirstSentAt, keyExpiresAt } = facts;
        const over = keyExpiresAt !== undefined && now > keyExpiresAt + 5000;
        return admitReplay({ ...facts, ...(over && keyFirstSentAt && { keyExpiresAt: keyFirstSentAt }) }, request, now);
      },
    },
    /key life|I3|I5/,
  ],
  [
    'a replay under a living key that forgets the doubt',
    {
      admitReplay: (facts, request, now) => {
        const ruling = admitReplay(facts, request, now);
        if (!ruling.allowed || ruling.doubleAccepted) return ruling;
        const { doubtBefore: _, ...journal } = ruling.journal;
        return { ...ruling, journal };
      },
    },
    /I5|I3/,
  ],
  [
    'a replay that begins the life of a living key anew',
    {
      admitReplay: (facts, request, now) => {
        const ruling = admitReplay(facts, request, now);
        if (!ruling.allowed) return ruling;
        const { firstSentAt: _, ...journal } = ruling.journal;
        return { ...ruling, journal };
      },
    },
    /key life|I3|I5/,
  ],
];

describe('the simulation catches', () => {
  test.each(BROKEN)('%s', (_name, broken, breaks) => {
    expect(firstBroken(1, WITHIN, { ...RULES, ...broken })).toMatch(breaks);
  });
});
