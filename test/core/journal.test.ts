import { describe, expect, test } from 'vitest';
import {
  type Attempt,
  emptyJournal,
  firstSentAt,
  type Journal,
  readJournal,
  record,
  unrecordedStarts,
  withoutBodies,
} from '../../core/journal.ts';

const NOW = 1_800_000_000_000;
const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  at: NOW,
  durationMs: 5,
  outcome: 'response',
  evidence: 'nothing',
  disposition: 'retry',
  ...more,
});
const postponed = (more: Partial<Attempt> = {}): Attempt =>
  attempt({ outcome: 'not-sent', disposition: 'postpone', ...more });

describe('recording an attempt', () => {
  test('adds it behind those before it, and leaves the given journal as it is', () => {
    const first = record(emptyJournal(2), attempt());
    const second = record(first, attempt({ attempt: 2, at: NOW + 10, disposition: 'dead' }));
    expect(first.attempts).toHaveLength(1);
    expect(second).toStrictEqual({
      generation: 2,
      attempts: [attempt(), attempt({ attempt: 2, at: NOW + 10, disposition: 'dead' })],
      postponed: 0,
      lost: 0,
      firstSentAt: NOW,
    });
  });

  test('adds the starts that were lost before it to those known', () => {
    const journal = record(record(emptyJournal(), attempt({ lost: 2 }), NOW - 50), attempt({ lost: 1 }), NOW - 20);
    expect(journal.lost).toBe(3);
  });

  test('cuts the texts of answers before it to 1024 characters, and keeps its own', () => {
    const body = 'b'.repeat(2000);
    const short = record(emptyJournal(), attempt({ body: 'b'.repeat(1024) }));
    const journal = record(record(short, attempt({ body })), attempt({ body }));
    expect(journal.attempts.map((entry) => entry.body)).toEqual(['b'.repeat(1024), `${'b'.repeat(1024)}…`, body]);
    expect(record(record(emptyJournal(), attempt()), attempt()).attempts[0]).not.toHaveProperty('body');
  });
});

describe('recording a postponement', () => {
  test('spends no attempt: it is counted, and the newest is kept with the time of the first', () => {
    const journal = record(record(emptyJournal(), postponed()), postponed({ at: NOW + 1000 }));
    expect(journal).toStrictEqual({
      generation: 0,
      attempts: [],
      postponed: 2,
      postponedSince: NOW,
      lastPostponed: postponed({ at: NOW + 1000 }),
      lost: 0,
    });
  });

  test.each(['no-answer', 'not-sent'] as const)(
    'the time counts from the first that was not a stopped worker’s (%s)',
    (outcome) => {
      const stopped = record(emptyJournal(), postponed({ outcome, code: 'UND_ERR_DESTROYED' }));
      expect(stopped.postponed).toBe(1);
      expect(stopped).not.toHaveProperty('postponedSince');
      expect(record(stopped, postponed({ at: NOW + 5, code: 'EMFILE' })).postponedSince).toBe(NOW + 5);
    },
  );

  test('an API’s answer is no stopped worker, whatever its code', () =>
    expect(record(emptyJournal(), postponed({ outcome: 'response', code: 'UND_ERR_DESTROYED' })).postponedSince).toBe(
      NOW,
    ));

  test.each<[string, Partial<Attempt>]>([
    ['may have been applied', { evidence: 'doubt' }],
    ['followed a start that left no record', { lost: 1 }],
  ])('one that %s leaves a doubt that no later one takes away', (_what, more) => {
    const doubt = record(emptyJournal(), postponed(more), NOW);
    expect(doubt.postponedInDoubt).toBe(true);
    expect(record(doubt, postponed()).postponedInDoubt).toBe(true);
  });
});

describe('when the API may first have seen the key', () => {
  const since = (...entries: [entry: Attempt, lostAt?: number][]): number | undefined =>
    entries.reduce<Journal>((journal, [entry, lostAt]) => record(journal, entry, lostAt), emptyJournal()).firstSentAt;

  test.each(['response', 'no-answer'] as const)('is the start of the first attempt that came to a %s', (outcome) =>
    expect(since([attempt({ outcome })], [attempt({ outcome, at: NOW + 1 })])).toBe(NOW),
  );

  test.each(['not-sent', 'blocked'] as const)('is not that of one that was %s', (outcome) => {
    expect(since([attempt({ outcome })])).toBeUndefined();
    expect(record(emptyJournal(), attempt({ outcome }))).not.toHaveProperty('firstSentAt');
    expect(since([attempt({ outcome })], [attempt({ at: NOW + 1 })])).toBe(NOW + 1);
  });

  test('is the first lost start, where one went before it', () => {
    expect(since([attempt({ lost: 1 }), NOW - 100])).toBe(NOW - 100);
    expect(since([attempt({ outcome: 'not-sent', lost: 1 }), NOW - 100])).toBe(NOW - 100);
    expect(since([attempt()], [attempt({ at: NOW + 9, lost: 1 }), NOW + 5])).toBe(NOW);
  });

  test('is unknown for a lost start whose beginning nobody wrote down, which counts as the earliest', () =>
    expect(firstSentAt(record(emptyJournal(), attempt()), 1)).toBe(0));

  test('does not change by a time given without a lost start', () => {
    expect(firstSentAt(emptyJournal(), 0, NOW - 100)).toBeUndefined();
    expect(firstSentAt(record(emptyJournal(), attempt()), 0, NOW - 100)).toBe(NOW);
  });
});

describe('starts that left no record', () => {
  test('are never less than none', () => expect(unrecordedStarts(record(emptyJournal(), attempt()), 1)).toBe(0));

  test('are all but the recorded ones and the current one', () => {
    const journal: Journal = { ...record(emptyJournal(), attempt()), postponed: 2, lost: 3 };
    expect(unrecordedStarts(journal, 7)).toBe(0);
    expect(unrecordedStarts(journal, 9)).toBe(2);
  });
});

describe('reading what stands in a job', () => {
  test('a journal is read as it stands', () => {
    const journal = record(record(emptyJournal(1), attempt()), postponed());
    expect(readJournal(journal)).toBe(journal);
    expect(readJournal(emptyJournal())).toEqual(emptyJournal());
  });

  test.each<[string, unknown]>([
    ['a number, as plain producers have it', 50],
    ['nothing', undefined],
    ['null', null],
    ['a list', [emptyJournal()]],
    ['a text for attempts', { ...emptyJournal(), lost: 2, attempts: 'many' }],
    ['an attempt that is none', { ...emptyJournal(), lost: 2, attempts: [attempt(), null] }],
    ['an attempt without evidence', { ...emptyJournal(), lost: 2, attempts: [attempt(), { attempt: 2 }] }],
    ['a generation below none', { ...emptyJournal(-1), lost: 2 }],
    ['no generation', { attempts: [], postponed: 0, lost: 2 }],
    ['half a postponement', { ...emptyJournal(), postponed: 0.5, lost: 2 }],
    ['a text for what was lost', { ...emptyJournal(), lost: '2' }],
  ])('%s is an empty journal', (_what, value) => expect(readJournal(value)).toStrictEqual(emptyJournal()));
});

test('a journal without bodies is otherwise the same, and so is the one that it was made from', () => {
  const journal = record(
    record(emptyJournal(), attempt({ body: 'text', status: 500 })),
    postponed({ body: 'text', code: 'BUSY' }),
  );
  expect(withoutBodies(journal)).toStrictEqual({
    ...journal,
    attempts: [attempt({ status: 500 })],
    lastPostponed: postponed({ code: 'BUSY' }),
  });
  expect(journal.lastPostponed?.body).toBe('text');
  expect(withoutBodies(emptyJournal())).toStrictEqual(emptyJournal());
});
