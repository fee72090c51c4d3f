import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyJournal,
  type Attempt,
  type Evidence,
  type Journal,
  record,
  unrecordedStarts,
} from '../../core/journal.ts';
import type { Outcome } from '../../core/outcome.ts';
import { evidenceOf, VERDICTS, verdictOf, verdictOfDelivered } from '../../core/verdict.ts';

const PROFILE = { unappliedStatuses: [503], inProgressCodes: ['IDEMPOTENCY_IN_PROGRESS'] };
const answer = (status: number, code = 'X'): Outcome & { kind: 'response' } => ({
  kind: 'response',
  status,
  durationMs: 1,
  replayed: false,
  envelope: { code },
});

describe('what an outcome proves', () => {
  test.each([
    [200, 'applied'],
    [201, 'applied'],
    [299, 'applied'],
    [199, 'doubt'],
    [300, 'doubt'],
    [399, 'doubt'],
    [499, 'nothing'],
    [400, 'not-applied'],
    [404, 'not-applied'],
    [409, 'not-applied'],
    [422, 'not-applied'],
    [401, 'nothing'],
    [403, 'nothing'],
    [429, 'nothing'],
    [402, 'nothing'],
    [503, 'nothing'],
    [500, 'doubt'],
    [502, 'doubt'],
    [504, 'doubt'],
    [302, 'doubt'],
  ])('HTTP %i proves %s', (status, evidence) => expect(evidenceOf(answer(status), PROFILE, true)).toBe(evidence));

  test('a 409 whose answer broke off proves nothing against an earlier send that still runs; a 422 is one by its status', () => {
    expect(evidenceOf({ ...answer(409), cut: true }, PROFILE, true)).toBe('doubt');
    expect(evidenceOf({ ...answer(422), cut: true }, PROFILE, true)).toBe('not-applied');
  });

  test('a 409 in progress is doubt: an earlier send is being worked on', () =>
    expect(evidenceOf(answer(409, 'IDEMPOTENCY_IN_PROGRESS'), PROFILE, true)).toBe('doubt'));

  test('no other status is in progress, whatever its code, and no 409 without a code', () => {
    expect(evidenceOf(answer(422, 'IDEMPOTENCY_IN_PROGRESS'), PROFILE, true)).toBe('not-applied');
    expect(evidenceOf({ kind: 'response', status: 409, durationMs: 1, replayed: false }, PROFILE, true)).toBe(
      'not-applied',
    );
  });

  test.each([400, 404, 409, 422])("HTTP %i past the key's life says nothing about earlier sends", (status) =>
    expect(evidenceOf(answer(status), PROFILE, false)).toBe('nothing'),
  );

  test('no answer is doubt; nothing sent proves nothing', () => {
    expect(evidenceOf({ kind: 'no-answer', code: 'ECONNRESET', durationMs: 1 }, PROFILE, true)).toBe('doubt');
    expect(evidenceOf({ kind: 'not-sent', code: 'ECONNREFUSED', durationMs: 1 }, PROFILE, true)).toBe('nothing');
    expect(evidenceOf({ kind: 'blocked', code: 'INVALID_WRITE', message: '' }, PROFILE, true)).toBe('nothing');
  });
});

const entry = (evidence: Evidence, more: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  at: 0,
  durationMs: 1,
  outcome: 'response',
  evidence,
  disposition: 'retry',
  ...more,
});
const journalOf = (...entries: Attempt[]): Journal => entries.reduce(record, emptyJournal());

describe('the verdict', () => {
  test('is one of three words', () => expect(VERDICTS).toEqual(['applied-once', 'not-applied', 'in-doubt']));

  test('of a generation that follows a doubt is in doubt, until an answer settles it', () => {
    const before: Journal = { ...emptyJournal(1), doubtBefore: 'settleable' };
    expect(verdictOf(before)).toBe('in-doubt');
    expect(verdictOf(record(before, entry('nothing')))).toBe('in-doubt');
    expect(verdictOf(record(before, entry('not-applied')))).toBe('not-applied');
    expect(verdictOf(record(before, entry('applied')))).toBe('applied-once');
    expect(verdictOfDelivered(record(before, entry('applied')))).toBe('applied-once');
  });

  test('of a double application that was accepted is in doubt for good', () => {
    const final: Journal = { ...emptyJournal(1), doubtBefore: 'final' };
    expect(verdictOf(record(final, entry('not-applied')))).toBe('in-doubt');
    expect(verdictOf(record(final, entry('applied')))).toBe('in-doubt');
    expect(verdictOfDelivered(record(final, entry('applied')))).toBe('in-doubt');
  });

  test('of a delivered write is applied once', () =>
    expect(verdictOfDelivered(journalOf(entry('doubt', { lost: 1 }), entry('applied')))).toBe('applied-once'));

  test('of a write that was never sent is not-applied', () => expect(verdictOf(emptyJournal())).toBe('not-applied'));

  test('a 2xx settles every doubt as applied', () =>
    expect(verdictOf(journalOf(entry('doubt'), entry('doubt', { lost: 2 }), entry('applied')))).toBe('applied-once'));

  test('a rejection after the lookup settles every doubt before it as not applied', () =>
    expect(verdictOf(journalOf(entry('doubt', { lost: 1 }), entry('not-applied')))).toBe('not-applied'));

  test('401, 403 and 429 leave a doubt as it is', () =>
    expect(verdictOf(journalOf(entry('doubt'), entry('nothing')))).toBe('in-doubt'));

  test('of attempts that prove nothing, and lost no start, is not-applied', () => {
    expect(verdictOf(journalOf(entry('nothing'), entry('nothing')))).toBe('not-applied');
    expect(verdictOf(journalOf(entry('nothing', { lost: 0 })))).toBe('not-applied');
  });

  test('a start without a record is doubt', () => {
    expect(verdictOf(emptyJournal(), 1)).toBe('in-doubt');
    expect(verdictOf(journalOf(entry('nothing', { lost: 1 })))).toBe('in-doubt');
  });

  test('a postponed start that may have been applied is doubt, however many followed', () =>
    expect(
      verdictOf(
        journalOf(
          entry('doubt', { disposition: 'postpone' }),
          entry('nothing', { disposition: 'postpone' }),
          entry('nothing'),
        ),
      ),
    ).toBe('in-doubt'));

  test('follows the newest proof, and doubt since then', () => {
    const evidence = fc.constantFrom<Evidence>('applied', 'not-applied', 'doubt', 'nothing');
    const steps = fc.array(fc.record({ evidence, lost: fc.nat(2), postponed: fc.boolean() }), { maxLength: 12 });
    const maybeApplied = (step: { evidence: Evidence; lost: number }): boolean =>
      step.evidence === 'doubt' || step.lost > 0;
    fc.assert(
      fc.property(steps, fc.nat(2), (list, lostAtEnd) => {
        // A 2xx or a settling rejection is never postponed.
        const history = list.map((step) => ({
          ...step,
          postponed: step.postponed && step.evidence !== 'applied' && step.evidence !== 'not-applied',
        }));
        const journal = journalOf(
          ...history.map((step) =>
            entry(step.evidence, {
              ...(step.lost > 0 && { lost: step.lost }),
              disposition: step.postponed ? 'postpone' : 'retry',
            }),
          ),
        );
        const spent = history.filter(({ postponed }) => !postponed);
        const proof = spent.findLastIndex((step) => step.evidence === 'not-applied');
        const open = spent.slice(proof + 1).some(maybeApplied) || lostAtEnd > 0;
        // Of postponements only that one was in doubt is kept, not when: a proof in the journal counts as after them.
        const postponedOpen = proof < 0 && history.some((step) => step.postponed && maybeApplied(step));
        const expected = spent.some((step) => step.evidence === 'applied')
          ? 'applied-once'
          : open || postponedOpen
            ? 'in-doubt'
            : 'not-applied';
        return verdictOf(journal, lostAtEnd) === expected;
      }),
    );
  });
});

test('starts without a record are all starts less attempts, postponements and those known to be lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ lost: fc.nat(3), postponed: fc.boolean() }), { maxLength: 20 }),
      fc.nat(5),
      (list, open) => {
        let journal = emptyJournal();
        let starts = 0;
        for (const { lost, postponed } of list) {
          starts += lost + 1;
          if (unrecordedStarts(journal, starts) !== lost) return false;
          journal = record(
            journal,
            entry('nothing', { ...(lost > 0 && { lost }), disposition: postponed ? 'postpone' : 'retry' }),
          );
        }
        return unrecordedStarts(journal, starts + open + 1) === open;
      },
    ),
  );
});
