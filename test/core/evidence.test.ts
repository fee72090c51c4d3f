import { describe, expect, test } from 'vitest';
import { evidenceInWords, verdictInWords } from '../../core/evidence.ts';
import { type Attempt, emptyJournal, type Journal } from '../../core/journal.ts';

const attempt = (evidence: Attempt['evidence'], more: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  at: 0,
  durationMs: 1,
  outcome: 'response',
  status: 500,
  evidence,
  disposition: 'retry',
  ...more,
});
const journalOf = (...attempts: Attempt[]): Journal => ({
  ...emptyJournal(),
  attempts: attempts.map((entry, i) => ({ ...entry, attempt: i + 1 })),
});

test.each([
  ['applied-once', 'the API applied it, once'],
  ['not-applied', 'the API did not apply it'],
  ['in-doubt', 'the API may have applied it, and no answer has settled it'],
  ['forged', 'no such verdict is known'],
  ['toString', 'no such verdict is known'],
])('%s in words: %s', (verdict, words) => expect(verdictInWords(verdict)).toBe(words));

describe('what a verdict rests on', () => {
  const NOTHING_SENT = 'it was never sent';

  test('nothing was sent', () => expect(evidenceInWords(emptyJournal(), 0)).toBe(NOTHING_SENT));

  test('no attempt left a doubt', () =>
    expect(evidenceInWords(journalOf(attempt('nothing', { status: 429 })), 0)).toBe(
      'no attempt was answered in a way that leaves doubt',
    ));

  test('the newest doubt', () => {
    const first = attempt('doubt', { status: 502, code: 'BAD_GATEWAY' });
    const second = attempt('doubt', { outcome: 'no-answer', code: 'ECONNRESET' });
    expect(evidenceInWords(journalOf(first, second, attempt('nothing')), 0)).toBe(
      'attempt 2: no answer (ECONNRESET); what was sent may have been applied',
    );
  });

  test('a rejection after the lookup settles what was before it, and not what comes after it', () => {
    const rejected = attempt('not-applied', { status: 422, code: 'INVALID' });
    const words =
      'attempt 2: 422 INVALID; the API says so after looking the key up, so that nothing before it was applied either';
    expect(evidenceInWords(journalOf(attempt('doubt'), rejected), 0)).toBe(words);
    expect(evidenceInWords(journalOf(attempt('doubt'), rejected, attempt('doubt')), 0)).toBe(
      'attempt 3: 500; what was sent may have been applied',
    );
  });

  test('a 2xx, whatever else there was', () =>
    expect(evidenceInWords(journalOf(attempt('doubt'), attempt('applied', { status: 201 }), attempt('doubt')), 3)).toBe(
      'attempt 2: 201',
    ));

  test('starts that left no record, before an attempt or since the last', () => {
    expect(evidenceInWords(journalOf(attempt('nothing', { lost: 2 })), 0)).toBe(
      '2 starts before attempt 1 left no record',
    );
    expect(evidenceInWords(journalOf(attempt('nothing', { lost: 0 })), 0)).toMatch(/^no attempt/);
    expect(evidenceInWords(journalOf(attempt('not-applied')), 1)).toBe('1 start since the last attempt left no record');
    expect(evidenceInWords(emptyJournal(), 2)).toBe('2 starts since the last attempt left no record');
  });

  test('the generation before, and a postponed send', () => {
    expect(evidenceInWords({ ...emptyJournal(), doubtBefore: 'settleable' }, 0)).toBe(
      'the generation before it was in doubt',
    );
    expect(evidenceInWords({ ...emptyJournal(), doubtBefore: 'settleable', postponedInDoubt: true }, 0)).toBe(
      'a send that was postponed may have been applied',
    );
  });

  test('a double application that was accepted: no answer settles it any more', () =>
    expect(evidenceInWords({ ...journalOf(attempt('applied')), doubtBefore: 'final' }, 1)).toBe(
      'an operator accepted that it may be applied twice: no answer settles that any more',
    ));
});
