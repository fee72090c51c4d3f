import { expect, test } from 'vitest';
import { evidenceInWords } from '../../core/evidence.ts';
import { describePlan, rowOf } from '../../cli/act-text.ts';
import { replaying } from '../../cli/letter-acts.ts';
import { cellsOf } from '../../cli/letter-row.ts';
import { describeLetter } from '../../cli/letter-text.ts';
import { type Attempt, emptyJournal, type Journal } from '../../core/journal.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import { ruleOnReplay } from '../../queue/operate.ts';
import { type ProbeAnswer, ruleOnProbe } from '../../queue/probe.ts';
import { ESCAPE, hostileLetter } from './hostile-letter.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);

const attempt = (more: Partial<Attempt>): Attempt => ({
  attempt: 1,
  at: NOW - HOUR_MS,
  durationMs: 12,
  outcome: 'response',
  evidence: 'doubt',
  disposition: 'dead',
  status: 500,
  ...more,
});

const journalOf = (...attempts: Partial<Attempt>[]): Journal => ({
  ...emptyJournal(),
  attempts: attempts.map((more, i) => attempt({ attempt: i + 1, ...more })),
});

const letter = (more: Partial<FiledLetter>): FiledLetter => ({
  id: 'w1.g0',
  destination: 'sms',
  jobId: 'w1',
  deadAt: NOW - HOUR_MS,
  enqueuedAt: NOW - 2 * HOUR_MS,
  reason: 'exhausted',
  because: 'HTTP 500',
  verdict: 'in-doubt',
  lost: 0,
  journal: journalOf({}),
  keyFirstSentAt: NOW - HOUR_MS,
  keyUsableUntil: NOW + 2 * HOUR_MS,
  keyExpiresAt: NOW + 3 * HOUR_MS,
  write: { method: 'POST', path: '/v1/x', idempotencyKey: 'k', body: '{"id":12345678901234567890,"n":1.50}' },
  state: 'open',
  acts: [],
  ...more,
});

const shown = (given: FiledLetter): string =>
  describeLetter(
    given,
    {
      sameKey: ruleOnReplay(given, {}, NOW),
      newKey: ruleOnReplay(given, { newKey: true }, NOW),
      probe: ruleOnProbe(given, NOW),
    },
    NOW,
  );

test("a body is indented and keeps its numbers' digits; a long one is cut, and says so", () => {
  expect(shown(letter({}))).toContain('\n  {\n    "id": 12345678901234567890,\n    "n": 1.50\n  }\n');
  const body = JSON.stringify(Array.from({ length: 500 }, (_, i) => i));
  const long = shown(letter({ write: { method: 'POST', path: '/v1/x', idempotencyKey: 'k', body } }));
  expect(long).toMatch(/^ {4}198,\n {2}… 302 more line\(s\): -o json has all$/m);
});

test("the key's life is told from where the API stands", () => {
  expect(shown(letter({}))).toContain('the API keeps the key until 2026-11-22T15:00:00.000Z (in 3 h)');
  expect(shown(letter({ keyExpiresAt: NOW - HOUR_MS }))).toContain(
    'the API may have forgotten the key since 2026-11-22T11:00:00.000Z (60 m ago)',
  );
  const { keyFirstSentAt: _, keyUsableUntil: ___, keyExpiresAt: __, ...unsent } = letter({ journal: emptyJournal() });
  expect(shown(unsent)).toContain('nothing can have reached the API: it has not seen the key');
  const startsLost = shown({ ...unsent, lost: 2 });
  expect(startsLost).toContain('it is not known since when the API has the key');
  expect(startsLost).toMatch(/^ {2}replay +refused \(KEY_EXPIRED\): .*it is not known since when the API has its key/m);
});

test('what can be done follows from the rules, and says what to do instead', () => {
  const doubtful = shown(letter({}));
  expect(doubtful).toMatch(/^ {2}replay +allowed: the key keeps it from being applied twice$/m);
  expect(doubtful).toMatch(/^ {2}replay --new-key +refused \(IN_DOUBT\): the write may have been applied: .*own key/m);
  expect(doubtful).toMatch(/^ {2}probe +allowed: one attempt under its own key, whose answer settles the doubt$/m);
  expect(shown(letter({ verdict: 'not-applied' }))).not.toMatch(/^ {2}probe /m);
  const late = shown(letter({ keyUsableUntil: NOW - 2 * HOUR_MS, keyExpiresAt: NOW - HOUR_MS }));
  expect(late).toMatch(/^ {2}probe +refused \(KEY_EXPIRED\): the API may have forgotten its key .* Ask the API /m);
  expect(late).toMatch(/^ {2}replay +refused \(KEY_EXPIRED\): .* Ask the API whether it has the write; /m);
  const { write: _, ...broken } = letter({ raw: 'not a write' });
  expect(shown(broken)).toMatch(/^ {2}what stood in the queue is no write: not a write$/m);
  expect(shown(broken)).toMatch(/^ {2}replay +refused \(NOT_A_WRITE\): .* Discard it\.$/m);
  expect(shown(letter({ state: 'discarded' }))).toMatch(/what can be done\n {2}restore +it is open again then\n$/);
});

test.each<[string, Journal, number, RegExp]>([
  ['never sent', emptyJournal(), 0, /^it was never sent$/],
  ['503 alone', journalOf({ evidence: 'nothing', status: 503 }), 0, /^no attempt was answered in a way that leaves/],
  [
    '500',
    journalOf({}, { evidence: 'nothing', status: 503 }),
    0,
    /^attempt 1: 500; what was sent may have been applied$/,
  ],
  ['500, 400', journalOf({}, { evidence: 'not-applied', status: 400 }), 0, /^attempt 2: 400; the API says so after/],
  ['a 2xx', journalOf({}, { evidence: 'applied', status: 201 }, {}), 0, /^attempt 2: 201$/],
  ['a lost start', journalOf({ evidence: 'not-applied' }), 2, /^2 starts since the last attempt left no record$/],
  ['one before', journalOf({ evidence: 'nothing', lost: 1 }), 0, /^1 start before attempt 1 left no record$/],
  [
    'its past',
    { ...journalOf({ evidence: 'nothing' }), doubtBefore: 'settleable' },
    0,
    /^the generation before it was in/,
  ],
  [
    'an operator',
    { ...journalOf({ evidence: 'applied' }), doubtBefore: 'final' },
    0,
    /^an operator accepted that it may/,
  ],
  ['a postponement', { ...emptyJournal(), postponed: 1, postponedInDoubt: true }, 0, /^a send that was postponed may/],
])('the evidence of %s is told', (_, journal, lost, said) => expect(evidenceInWords(journal, lost)).toMatch(said));

test('what a probe was answered is told in its row', () => {
  const probed = { letter: 'w1.g0', destination: 'sms', status: 'probed', jobId: 'w1', generation: 1 } as const;
  const told = (answer: ProbeAnswer): string => rowOf({ ...probed, answer }).replace(/^.* sms +/, '');
  expect(told({ says: 'delivered', status: 201, requestId: 'req_1' })).toBe(
    'generation 1; delivered: 201, request_id req_1\n',
  );
  expect(told({ says: 'in-doubt', code: 'ECONNRESET', letter: 'w1.g1', because: 'no answer' })).toBe(
    'generation 1; still in doubt: ECONNRESET; dead letter w1.g1\n',
  );
  expect(told({ says: 'in-doubt' })).toBe('generation 1; still in doubt\n');
  expect(told({ says: 'waiting' })).toBe('generation 1; no answer yet: waybill find w1\n');
  expect(told({ says: 'gone' })).toBe('generation 1; its answer is kept no more\n');
});

test('no text of a letter reaches the terminal as more than text', () => {
  const hostile = hostileLetter(journalOf({ code: ESCAPE, requestId: ESCAPE, status: ESCAPE as never }));
  const plan = {
    items: [],
    todo: 1,
    doubles: 0,
    sample: [hostile],
    not: new Map([[ESCAPE, { count: 1, first: ESCAPE }]]),
    advice: new Map([[ESCAPE, 1]]),
    more: false,
    before: NOW,
  };
  const told = [
    shown(hostile),
    ...cellsOf(hostile),
    ...describePlan({ ...plan, items: [{ letter: ESCAPE }] }, replaying({}), { by: ESCAPE, reason: ESCAPE }),
    rowOf({ letter: ESCAPE, destination: ESCAPE, status: 'failed', error: { code: ESCAPE, message: ESCAPE } }),
    rowOf({
      letter: ESCAPE,
      status: 'probed',
      answer: { says: 'in-doubt', code: ESCAPE, requestId: ESCAPE, letter: ESCAPE, because: ESCAPE },
    }),
    rowOf({ letter: ESCAPE, status: 'replayed', generation: 0, idempotencyKey: ESCAPE, jobId: ESCAPE, advice: ESCAPE }),
  ];
  for (const text of told) {
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(text.split('\n').filter((line) => line.startsWith('[31m'))).toEqual(
      text.startsWith('[31m') ? [expect.any(String)] : [],
    );
  }
});
