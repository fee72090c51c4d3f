import { describe, expect, test } from 'vitest';
import type { LetterDetail, ShownAttempt } from '../../dashboard/api/contract/letters.ts';
import type { WhatIf } from '../../dashboard/api/contract/what-if.ts';
import { scanWords } from '../../dashboard/web/src/views/find/state-words.ts';
import { actWords } from '../../dashboard/web/src/views/letter/act-words.ts';
import { storyOf } from '../../dashboard/web/src/views/letter/story.ts';
import { drawnOf, latestLatency, perMinute } from '../../dashboard/web/src/views/overview/minute-figures.ts';
import { readPolicy } from '../../dashboard/web/src/views/what-if/policy-fields.ts';
import { remainderOf, sentenceOf } from '../../dashboard/web/src/views/what-if/sentence.ts';

const answer: WhatIf = {
  examined: 430,
  more: false,
  eligible: 430,
  saved: 412,
  extraCalls: 1290,
  extraCallsOfSaved: 1200,
  unknown: 0,
  coversMs: 180_000,
  byGroup: [],
  basis: '',
};

describe('what if', () => {
  test('says in one sentence what another policy would have done', () => {
    expect(sentenceOf({ maxAttempts: 8, capMs: 60_000 }, answer)).toBe(
      '8 attempts and a 60 s cap would have saved 412 of these 430 dead letters, at 1,290 more calls.',
    );
    expect(
      sentenceOf({ baseMs: 1500, capMs: 3_600_000, jitter: 0.5 }, { ...answer, more: true, saved: 0, extraCalls: 1 }),
    ).toBe(
      'A 1.5 s base, a 1 h cap and 50 % jitter would have saved none of the 430 dead letters looked at, at 1 more call.',
    );
    expect(sentenceOf({ maxAttempts: 2 }, { ...answer, saved: 1, extraCalls: -3 })).toContain('at 3 calls fewer.');
    expect(sentenceOf({}, { ...answer, examined: 0 })).toBe(
      'No dead letter matches, so there is nothing to reckon with.',
    );
  });

  test('says what no policy changes, and what the journals leave open', () => {
    expect(remainderOf(answer)).toEqual([]);
    expect(remainderOf({ ...answer, eligible: 429, unknown: 7 })).toEqual([
      '1 was not given up for lack of attempts: no retry policy changes that.',
      'Of 7 the journals do not show whether the outage had ended: not counted as saved.',
    ]);
  });

  test('says which delivered writes a shorter policy would have given up', () => {
    const wouldHaveDied = { deliveries: 2, savedCalls: 5, examined: 1000, more: false };
    expect(remainderOf({ ...answer, wouldHaveDied })).toEqual([
      'But 2 delivered writes of the 1,000 looked at took more attempts than that and would have died, at 5 calls fewer.',
    ]);
  });

  test('reads seconds and per cent, and names the field that holds something else', () => {
    expect(readPolicy({ maxAttempts: '8', cap: '0,5', base: '', jitter: '20' })).toEqual({
      policy: { maxAttempts: 8, capMs: 500, jitter: 0.2 },
      faults: {},
    });
    const { policy, faults } = readPolicy({ maxAttempts: '1.5', cap: '99999', base: '-1', jitter: 'x' });
    expect(policy).toBeUndefined();
    expect(Object.keys(faults)).toEqual(['maxAttempts', 'cap', 'base', 'jitter']);
  });
});

describe('the life of a write', () => {
  const attempt = (n: number, at: number, more: Partial<ShownAttempt> = {}): ShownAttempt => ({
    attempt: n,
    at,
    durationMs: 5,
    outcome: 'response',
    evidence: 'doubt',
    disposition: 'retry',
    answer: '503',
    ...more,
  });
  const detail = (given: Partial<LetterDetail>, generation = 0): LetterDetail =>
    ({
      letter: { id: 'l', destination: 'sms', jobId: 'j', state: 'open', deadAt: 50, enqueuedAt: 1, generation },
      acts: [],
      ...given,
    }) as unknown as LetterDetail;

  test('is told in order, what people did among it', () => {
    const journal = {
      attempts: [attempt(1, 10), attempt(2, 40)],
      postponed: 1,
      lastPostponed: attempt(2, 30),
      lost: 0,
    };
    const acts: LetterDetail['acts'] = [{ act: 'replay', at: 60, by: 'ann', reason: 'mended' }];
    expect(storyOf(detail({ journal, acts })).map(({ kind }) => kind)).toEqual([
      'enqueued',
      'attempt',
      'postponed',
      'attempt',
      'dead',
      'act',
    ]);
  });

  test('shows the first attempt after a replay as a person’s', () => {
    const journal = { attempts: [attempt(1, 10), attempt(2, 40)], postponed: 0, lost: 0 };
    const sentBy = (generation: number): string[] =>
      storyOf(detail({ journal }, generation)).flatMap((one) => (one.kind === 'attempt' ? [one.sentBy] : []));
    expect(sentBy(0)).toEqual(['automatic', 'automatic']);
    expect(sentBy(1)).toEqual(['manual', 'automatic']);
  });

  test('ends with what became of the write, where it was replayed and goes on under its own key', () => {
    const replayed = detail({ writeState: 'delivered' });
    replayed.letter.state = 'replayed';
    expect(storyOf(replayed).at(-1)).toEqual({ kind: 'since', state: 'delivered' });
    const replacedBy = { idempotencyKey: 'k2', jobId: 'j2' };
    expect(storyOf({ ...replayed, replacedBy }).at(-1)?.kind).toBe('dead');
    expect(storyOf(detail({ writeState: 'dead' })).at(-1)?.kind).toBe('dead');
  });

  test('tells lost starts once: before their attempt, or at the end', () => {
    const journal = { attempts: [attempt(1, 10, { lost: 1 })], postponed: 0, lost: 3 };
    expect(storyOf(detail({ journal })).filter(({ kind }) => kind === 'lost')).toEqual([
      { kind: 'lost', at: 50, times: 2 },
    ]);
  });
});

test('an act says all that was accepted with it', () => {
  expect(actWords({ act: 'discard', at: 1, by: 'ann', reason: '' })).toBe('discarded it');
  expect(actWords({ act: 'probe', at: 1, by: 'ann', reason: '', generation: 1 })).toBe(
    'probed it: sent it once more under the same key',
  );
  expect(
    actWords({
      act: 'replay',
      at: 1,
      by: 'ann',
      reason: '',
      newKey: { idempotencyKey: 'k', jobId: 'j' },
      edited: true,
      doubleAccepted: true,
    }),
  ).toBe('replayed it under a new key with an edited write accepting that it may be applied twice');
});

test('a search says how far it went', () => {
  expect(scanWords(0, false)).toBeUndefined();
  expect(scanWords(1, false)).toBe('For a request_id, all 1 delivered write was gone through.');
  expect(scanWords(5000, true)).toContain('the newest 5,000 delivered writes were gone through; there are older ones');
});

test('figures of a destination come out of its minutes', () => {
  const minute = (at: number, delivered: number, p50Ms?: number) => ({
    at,
    delivered,
    retried: 0,
    dead: 0,
    ...(p50Ms && { p50Ms }),
  });
  expect(perMinute([minute(1, 5), minute(2, 0)])).toBe('2.5');
  expect(perMinute([minute(1, 4000)])).toBe('4,000');
  expect(perMinute([])).toBe('0');
  expect(latestLatency([minute(1, 1, 8), minute(2, 1, 9), minute(3, 0)])?.at).toBe(2);
});

test('a chart leaves the present minute out, and a long time is drawn in wider steps that add up', () => {
  const quiet = (at: number) => ({ at, delivered: 0, retried: 0, dead: 0 });
  const hour = Array.from({ length: 60 }, (_, at) => ({ ...quiet(at), delivered: 2 }));
  expect(drawnOf(hour)).toEqual({ sizeMinutes: 1, points: hour.slice(0, -1) });
  // Nothing else happened yet: better a minute that has only begun than an empty chart.
  const first = [...Array.from({ length: 59 }, (_, at) => quiet(at)), { ...quiet(59), delivered: 1 }];
  expect(drawnOf(first).points).toEqual(first);
  const day = Array.from({ length: 1440 }, (_, at) => ({ ...quiet(at), delivered: 1, dead: at === 1438 ? 1 : 0 }));
  const slow = day.map((one) => (one.at === 1430 ? { ...one, p50Ms: 80, p95Ms: 900 } : one));
  const { sizeMinutes, points } = drawnOf(slow);
  expect(sizeMinutes).toBe(10);
  expect(points).toHaveLength(143);
  expect(points.at(-1)).toEqual({ at: 1429, delivered: 10, retried: 0, dead: 1, p50Ms: 80, p95Ms: 900 });
  expect(points[0]).toEqual({ at: 9, delivered: 10, retried: 0, dead: 0 });
});
