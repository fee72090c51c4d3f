import { describe, expect, test } from 'vitest';
import type { Attempt } from '../../core/journal.ts';
import {
  BASIS,
  coveredMs,
  type ExhaustedLetter,
  isEligible,
  layOut,
  type Successes,
  whatIf,
} from '../../core/what-if.ts';

const POLICY = { maxAttempts: 5, baseMs: 1000, capMs: 30_000, jitter: 0.2 };
const T = 1_800_000_000_000;
const NOTHING: Successes = { deliveries: new Map(), replays: [] };

/** Died of the usual policy: attempts at 0, 1, 3, 7 and 15 s, each of 0 ms. */
function letter(changes: Partial<ExhaustedLetter> = {}, startsAt = T): ExhaustedLetter {
  const attempts = [0, 1000, 3000, 7000, 15_000].map((ms, i) => ({
    at: startsAt + ms,
    durationMs: 0,
    ...(i < 4 && { wait: { delayMs: 1000 * 2 ** i, baseMs: 1000 * 2 ** i, jitterMs: 0 } }),
  }));
  return { destination: 'sms', code: 'DOWN', attempts, othersDelivered: false, ...changes };
}

const reckon = (
  letters: ExhaustedLetter[],
  known: Partial<Successes>,
  change: Partial<typeof POLICY> = { maxAttempts: 8 },
) => whatIf(letters, { ...NOTHING, ...known }, () => ({ ...POLICY, ...change }));
const delivered = (...ms: number[]): Partial<Successes> => ({ deliveries: new Map([['sms', ms.map((at) => T + at)]]) });

describe('the other policy laid out in time', () => {
  test('what it could have drawn stands as recorded; behind that come its waits with half of the jitter', () => {
    const laid = [...layOut(letter(), { ...POLICY, maxAttempts: 7 })];
    expect(laid.filter(({ recorded }) => recorded)).toHaveLength(5);
    expect(laid.slice(4).map(({ at }) => at - T)).toEqual([15_000, 15_000 + 17_600, 15_000 + 17_600 + 33_000]);
  });

  test('another base moves every attempt but the first', () => {
    const laid = [...layOut(letter(), { ...POLICY, maxAttempts: 3, baseMs: 10_000, jitter: 0 })];
    expect(laid.map(({ recorded }) => recorded)).toEqual([true, false, false]);
    expect(laid.map(({ at }) => at - T)).toEqual([0, 10_000, 30_000]);
  });

  test('a Retry-After on record is waited for, and the time of an attempt counts', () => {
    const attempts = [
      { at: T, durationMs: 500, wait: { delayMs: 9000, baseMs: 1000, jitterMs: 0, retryAfterMs: 9000 } },
      { at: T + 9500, durationMs: 500 },
    ];
    const laid = [...layOut(letter({ attempts }), { ...POLICY, maxAttempts: 3, baseMs: 2000, jitter: 0 })];
    expect(laid.map(({ at }) => at - T)).toEqual([0, 9500, 9500 + 500 + 4000]);
  });

  test('a recorded wait that the other policy cannot have drawn is not taken for one of its own', () => {
    const recorded = (wait: { jitterMs: number } | undefined, jitter: number): number => {
      const attempts = [
        { at: T, durationMs: 0, ...(wait && { wait: { delayMs: 1000 + wait.jitterMs, baseMs: 1000, ...wait } }) },
        { at: T + 1100, durationMs: 0 },
      ];
      return [...layOut(letter({ attempts }), { ...POLICY, jitter })].filter((one) => one.recorded).length;
    };
    expect(recorded({ jitterMs: 100 }, 0.1)).toBe(2);
    expect(recorded({ jitterMs: 101 }, 0.1)).toBe(1);
    expect(recorded(undefined, 0.1)).toBe(1);
  });

  test('an attempt behind those on record takes as long as the last of them', () => {
    const attempts = [10, 200, 3000].map((durationMs, i) => ({ at: T + i * 5000, durationMs }));
    const laid = [...layOut(letter({ attempts }), { ...POLICY, jitter: 0 })];
    expect(laid.map(({ at }) => at - T)).toEqual([0, 1010, 3210, 10_210, 21_210]);
  });

  test('without an attempt on record there is nothing to lay out, and the letter is not saved', () => {
    expect([...layOut(letter({ attempts: [] }), POLICY)]).toEqual([]);
    expect(reckon([letter({ attempts: [] })], delivered(0))).toMatchObject({ eligible: 1, saved: 0, extraCalls: 0 });
  });

  test('none starts past the life of the key, and the number of a write itself is not overruled', () => {
    for (const [until, attempts] of [
      [32_599, 5],
      [32_600, 6],
      [40_000, 6],
    ] as const)
      expect([...layOut(letter({ sendableUntil: T + until }), { ...POLICY, maxAttempts: 20 })]).toHaveLength(attempts);
    expect([...layOut(letter({ maxAttempts: 5 }), { ...POLICY, maxAttempts: 20 })]).toHaveLength(5);
  });

  test('covers: its waits without jitter', () =>
    expect(coveredMs({ ...POLICY, maxAttempts: 8, capMs: 60_000 })).toBe(
      1000 + 2000 + 4000 + 8000 + 16_000 + 32_000 + 60_000,
    ));
});

describe('a letter is saved', () => {
  test('when one of its further attempts comes after a delivery of the destination that was out as a whole', () => {
    expect(reckon([letter()], delivered(-60_000, 40_000))).toMatchObject({
      eligible: 1,
      saved: 1,
      // The sixth is at 32.6 s, the seventh at 65.6 s.
      extraCalls: 2,
      extraCallsOfSaved: 2,
      unknown: 0,
    });
  });

  test('by a replay of its group that was delivered, also where the destination delivered others all the time', () => {
    const replays = [{ destination: 'sms', code: 'DOWN', at: T + 20_000 }];
    const known = { ...delivered(2000, 10_000, 20_000, 50_000), replays };
    expect(reckon([letter({ othersDelivered: true })], known)).toMatchObject({ saved: 1, extraCalls: 1 });
  });

  test('by a delivery in the very millisecond of its further attempt', () => {
    expect(reckon([letter()], delivered(32_600))).toMatchObject({ saved: 1, extraCalls: 1 });
    expect(reckon([letter()], delivered(32_601))).toMatchObject({ saved: 1, extraCalls: 2 });
  });

  test('by longer waits alone, at fewer calls than it made', () => {
    const change = { baseMs: 20_000, capMs: 60_000 };
    expect(reckon([letter()], delivered(16_000), change)).toMatchObject({ saved: 1, extraCalls: -3 });
  });
});

describe('a letter is not counted as saved', () => {
  test('where deliveries went on while it failed: they tell nothing of what failed', () =>
    expect(reckon([letter({ othersDelivered: true })], delivered(2000, 16_000))).toMatchObject({
      saved: 0,
      unknown: 1,
    }));

  test('where nothing is known behind its last attempt; all further calls are reckoned', () =>
    expect(reckon([letter()], NOTHING)).toMatchObject({ saved: 0, unknown: 1, extraCalls: 3, extraCallsOfSaved: 0 }));

  test('where the outage is seen to go on: others of its group failed before and after each further attempt', () => {
    const later = [30_000, 60_000, 90_000, 120_000].map((ms) => letter({}, T + ms));
    const { byGroup } = reckon([letter(), ...later], NOTHING);
    // The first two letters' attempts, at 32.6, 65.6 and 98.6 s, lie among failures of the others.
    expect(byGroup[0]).toMatchObject({ eligible: 5, saved: 0, extraCalls: 15 });
    expect(byGroup[0]?.unknown).toBeLessThan(5);
  });

  test('where two failures are too far apart to be one outage', () => {
    const unknown = (gapMs: number): number => {
      const one = letter({ attempts: [{ at: T, durationMs: 0 }] });
      const next = letter({ attempts: [{ at: T + gapMs, durationMs: 0 }], maxAttempts: 1 });
      return reckon([one, next], NOTHING, { maxAttempts: 2 }).unknown;
    };
    expect([600_000, 600_001].map(unknown)).toEqual([0, 1]);
    expect(reckon([letter(), letter({}, T + 3_600_000)], NOTHING)).toMatchObject({ saved: 0, unknown: 2 });
  });

  test('where nothing is known of one of its further attempts, though the next would have failed', () => {
    // Nothing is known at 32.6 s, before a success; at 65.6 s the other letter's failures lie on both sides.
    const other = letter({ attempts: [50_000, 70_000].map((ms) => ({ at: T + ms, durationMs: 0 })), maxAttempts: 2 });
    const replays = [{ destination: 'sms', code: 'DOWN', at: T + 40_000 }];
    expect(reckon([letter(), other], { replays }, { maxAttempts: 7 })).toMatchObject({
      eligible: 2,
      saved: 0,
      unknown: 1,
    });
  });

  test('by a replay of another code, or a delivery of another destination', () => {
    const replays = [{ destination: 'sms', code: 'OTHER', at: T + 16_000 }];
    expect(reckon([letter()], { replays })).toMatchObject({ saved: 0, unknown: 1 });
    const deliveries = new Map([['mail', [T + 16_000]]]);
    expect(reckon([letter()], { deliveries })).toMatchObject({ saved: 0, unknown: 1 });
  });
});

test('a delivery from before the last attempt on record saves nothing: the letter itself failed after it', () =>
  expect(reckon([letter()], delivered(50, 500), { baseMs: 100, maxAttempts: 5 })).toMatchObject({
    saved: 0,
    unknown: 0,
  }));

test('nor does one in the very millisecond of the last: an attempt at that time failed', () => {
  const { attempts } = letter();
  const early = { ...letter(), attempts: attempts.map((one) => ({ ...one, durationMs: 500 })) };
  // 500 ms each, and waits of 14.5 s: the second attempt falls on the last one on record.
  expect(reckon([early], delivered(15_000), { baseMs: 14_500, maxAttempts: 2, jitter: 0 })).toMatchObject({
    saved: 0,
    extraCalls: -3,
  });
});

test('with fewer attempts the calls are saved, and no letter is', () =>
  expect(reckon([letter()], delivered(16_000), { maxAttempts: 3 })).toMatchObject({
    saved: 0,
    unknown: 0,
    extraCalls: -2,
  }));

test('the same policy changes nothing', () =>
  expect(reckon([letter()], delivered(16_000), {})).toMatchObject({ saved: 0, unknown: 0, extraCalls: 0 }));

test('groups are told apart, the largest first, and add up', () => {
  const { byGroup, ...total } = reckon([letter(), letter({ code: 'B' }), letter({ code: 'B' })], delivered(40_000));
  expect(byGroup.map(({ code, eligible }) => [code, eligible])).toEqual([
    ['B', 2],
    ['DOWN', 1],
  ]);
  expect(total).toEqual({ eligible: 3, saved: 3, extraCalls: 6, extraCallsOfSaved: 6, unknown: 0 });
});

test('a letter without a code is of a group without one; a replay of what no letter stands for makes none', () => {
  const { code: _code, ...codeless } = letter();
  const replays = [{ destination: 'sms', code: 'OTHER', at: T }];
  const { byGroup } = reckon([codeless], { replays });
  expect(byGroup).toStrictEqual([
    { destination: 'sms', eligible: 1, saved: 0, extraCalls: 3, extraCallsOfSaved: 0, unknown: 1 },
  ]);
});

test('each rule of the reckoning is told to whoever reads its figures', () => {
  for (const rule of [
    /success.* a replay of the same destination and code that was delivered/,
    /a delivery of any write.*the destination was out as a whole/,
    /a failure between two failures of its group that are at most 10 minutes apart/,
    /Of every other attempt nothing is known/,
    /half of the jitter/,
    /past the life of the key or the expiry of the write/,
  ])
    expect(BASIS).toMatch(rule);
});

describe('another policy could have changed the end', () => {
  const last = (changes: Partial<Attempt>): Attempt[] => [
    {
      attempt: 1,
      at: T,
      durationMs: 1,
      outcome: 'response',
      evidence: 'doubt',
      disposition: 'dead',
      status: 503,
      ...changes,
    },
  ];
  test.each([{}, { outcome: 'not-sent', code: 'ECONNREFUSED' }, { outcome: 'no-answer', code: 'ECONNRESET' }] as const)(
    'of what spent all of its attempts (%j)',
    (changes) => expect(isEligible('exhausted', last(changes))).toBe(true),
  );
  test.each([
    ['rejected', last({})],
    ['exhausted', []],
    ['exhausted', last({ disposition: 'retry' })],
    ['exhausted', last({ status: 409 })],
    ['exhausted', last({ outcome: 'not-sent', code: 'EMFILE' })],
  ] as const)('not of what died otherwise (%s)', (reason, attempts) =>
    expect(isEligible(reason, attempts)).toBe(false),
  );
});
