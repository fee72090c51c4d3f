// The judge is shown evidence that was doctored, one piece at a time: each invariant must be seen to fail, or a campaign
// that finds nothing says nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { UnreadableLetter } from '../../queue/dead-letters.ts';
import type { Wait } from '../../core/back-off.ts';
import { emptyJournal } from '../../core/journal.ts';
import {
  answered,
  attempt,
  DEAD,
  deadEnd,
  DELIVERED,
  deliveredEnd,
  evidenceOf,
  type Facts,
  journalOf,
  KEY,
  LETTER,
  letterWith,
  OTHER_KEY,
  send,
  START,
} from './doctored.ts';
import { emptyJudgement, INVARIANTS, type Invariant } from './judgement.ts';
import { finderOf } from './fuzz/hidden.ts';
import { judge } from './judge.ts';
import { judgeSecrets } from './secrets.ts';
import { sentAfterItsKey } from './judge-sends.ts';

const brokenBy = (facts: Facts): Invariant[] => {
  const { judgement } = judge(evidenceOf(facts));
  return (Object.keys(INVARIANTS) as Invariant[]).filter((name) => judgement[name].violations > 0);
};

/** A delivered write whose first attempt was tried again after so long, and so late. */
function retried(delayMs: number, { lateMs = 1, step = '503', sentLateMs = 1, arrivedLateMs = 0 } = {}): Facts {
  const status = Number(step.slice(0, 3));
  const again = START + 110 + delayMs;
  return {
    ...DELIVERED,
    steps: [step],
    sends: [send({ at: START + 100 + arrivedLateMs, step, status, applied: false }), send({ at: again + sentLateMs })],
    end: deliveredEnd({
      starts: 2,
      journal: journalOf(
        attempt({ status, disposition: 'retry', wait: { delayMs } as Wait }),
        attempt({ attempt: 2, at: again + lateMs, disposition: 'delivered', status: 201, evidence: 'applied' }),
      ),
    }),
  };
}

/** A write that is dead after such steps, each of which was an attempt, by its letter. */
function died(steps: string[], facts: Parameters<typeof letterWith>[0] = {}): Facts {
  const sends = steps.map((step, i) => answered(step, i));
  const attempts = sends.map(({ at, status }, i) =>
    attempt({
      attempt: i + 1,
      at,
      outcome: status === null ? 'no-answer' : 'response',
      ...(status === null ? { durationMs: 1000 } : { status }),
      ...(i < steps.length - 1 && { disposition: 'retry', wait: { delayMs: Math.min(1000, 100 * 2 ** i) } as Wait }),
    }),
  );
  return { ...DEAD, steps, sends, end: deadEnd({ journal: journalOf(...attempts), ...facts }, steps) };
}

/** The first attempt's request was lost on its way, and the second one's answer is known. */
function neverCame(): Facts {
  const first = attempt({
    durationMs: 5,
    outcome: 'no-answer',
    disposition: 'retry',
    status: undefined,
    wait: { delayMs: 110 } as Wait,
  });
  const second = attempt({ attempt: 2, at: START + 215 });
  return {
    ...DEAD,
    sends: [answered('403', 0, { at: START + 216 })],
    end: deadEnd({ verdict: 'in-doubt', journal: journalOf(first, second) }),
  };
}

const FORBIDDEN = { code: 'FORBIDDEN', message: 'The API key lacks the permission for this request.' };
const UNAVAILABLE = { code: 'SERVICE_UNAVAILABLE', message: 'The service is temporarily unavailable.' };
const exhausted = died(['503', '503', '503', '503', '503'], {
  reason: 'exhausted',
  status: 503,
  envelope: UNAVAILABLE,
});
/** Its worker died so often, each time with the write in hand. */
const crashed = (times: number, { slot = 0, losses = times } = {}): Facts => ({
  ...DEAD,
  sends: Array.from({ length: times }, (_, i) =>
    send({ at: START + 100 + i * 100, status: null, step: 'hang', applied: false }),
  ),
  end: deadEnd({
    reason: 'crashed',
    lost: times,
    verdict: 'in-doubt',
    journal: emptyJournal(),
    status: undefined,
    envelope: undefined,
    requestId: undefined,
  }),
  losses: Array.from({ length: losses }, (_, i) => ({ slot, at: START + 150 + i * 100 })),
});
const GONE: Facts = { ...DELIVERED, end: { places: [], lost: 0, letters: [] } };
/** One that had a 503, and no attempt since: dead as its key may have ended. */
const EXPIRED: Facts = {
  ...died(['503'], { reason: 'key-expired', status: 503, envelope: UNAVAILABLE, deadAt: START + 4000 }),
  plan: 'delivered',
};
const OVERWRITTEN: Facts = {
  ...DELIVERED,
  plan: 'dead',
  sends: [],
  seenKeys: [],
  end: deadEnd({
    reason: 'invalid',
    write: undefined,
    raw: 'null',
    journal: emptyJournal(),
    status: undefined,
    envelope: undefined,
    requestId: undefined,
  }),
  writeLost: true,
};
const UNREADABLE = { id: LETTER, jobId: letterWith().jobId, unreadable: 'it is no JSON' } as UnreadableLetter;

test.each([
  ['a delivered write', DELIVERED],
  ['a dead one', DEAD],
  ['one whose attempts are used up', exhausted],
  ['one in doubt, as it had a 500', died(['500', '403'], { verdict: 'in-doubt' })],
  ['one in doubt, as an attempt had no answer', died(['hang', '403'], { verdict: 'in-doubt' })],
  ['one whose doubt a rejection has settled', settledBy422()],
  ['one that was tried again in time', retried(110)],
  ['one whose Retry-After was kept', retried(1000, { step: '429:retry-after=1' })],
  ['one that was added and nobody was told so', { ...DELIVERED, acknowledgedAt: [] }],
  ['one that was never stored, and nobody was told so', { ...GONE, acknowledgedAt: [], sends: [], seenKeys: [] }],
  ['one that is dead as crashed, and whose worker kept dying', crashed(6)],
  ['one whose key has expired', { ...EXPIRED, keyTtlMs: 5000 }],
  ['one that was overwritten with what is none', OVERWRITTEN],
  [
    'one whose answer broke off, behind a network that does so',
    { ...DEAD, answersBreak: true, end: deadEnd({ verdict: 'in-doubt', envelope: { code: 'HTTP_403' } }) },
  ],
  [
    'one with a lost start, whose worker was lost',
    { ...DEAD, losses: [{ slot: 0, at: START + 50 }], end: deadEnd({ verdict: 'in-doubt', lost: 1 }) },
  ],
  [
    'one with a lost start, behind a Redis whose replies break off',
    { ...DEAD, repliesBreak: true, end: deadEnd({ verdict: 'in-doubt', lost: 1 }) },
  ],
  [
    'one that its worker had in hand, and sent when what may be lost was over',
    {
      ...DELIVERED,
      sends: [send(), send({ at: START + 900, applied: false })],
      lossWindows: [{ from: START + 200, until: START + 250 }],
    },
  ],
  ['one that never came to the API, and was tried again at once', neverCame()],
  [
    'one that was tried again too early by a clock that is off',
    { ...retried(110, { lateMs: -50, sentLateMs: -50 }), clocksDifferMs: 100 },
  ],
] satisfies [string, Facts][])('%s breaks nothing', (_, facts) => {
  expect(judge(evidenceOf(facts)).judgement).toEqual(
    Object.fromEntries(
      Object.keys(INVARIANTS).map((name) => [name, expect.objectContaining({ violations: 0, samples: [] })]),
    ),
  );
});

function settledBy422(): Facts {
  return died(['hang', '422'], {
    status: 422,
    envelope: { code: 'UNPROCESSABLE', message: 'The request is well-formed and cannot be processed.' },
  });
}

describe('broken is', () => {
  test.each([
    ['I1', 'an acknowledged write that stands nowhere', GONE],
    ['I1', 'one that still waits', { ...DELIVERED, end: deliveredEnd({ places: ['waiting'] }) }],
    ['I1', 'a campaign whose writes had not ended in time', { ...DELIVERED, drained: false }],
    [
      'I1',
      'a lost one that was acknowledged before what may be lost',
      { ...GONE, lossWindows: [{ from: START + 20, until: START + 90 }] },
    ],
    [
      'I1',
      'a lost one whose producer waited for the replica',
      { ...GONE, lossWindows: [{ from: START, until: START + 90, keepsWrites: true }] },
    ],
    [
      'I1',
      'a lost one of which one acknowledgement is older',
      { ...GONE, acknowledgedAt: [START + 10, START + 50], lossWindows: [{ from: START + 20, until: START + 90 }] },
    ],
    ['I2', 'one that stands in two places', { ...DELIVERED, end: deliveredEnd({ places: ['delivered', 'dead'] }) }],
    ['I2', 'one that is dead and should have been delivered', { ...DEAD, plan: 'delivered' }],
    [
      'I2',
      'one that nobody was told of, and that still waits',
      { ...DELIVERED, acknowledgedAt: [], end: deliveredEnd({ places: ['waiting'] }) },
    ],
    ['I3', 'one that was applied twice', { ...DELIVERED, sends: [send(), send()], end: deliveredEnd({ starts: 2 }) }],
    ['I4', 'one that is delivered and was not applied', { ...DELIVERED, sends: [send({ applied: false })] }],
    ['I5', 'one that is said not to be applied, and is', { ...DEAD, sends: [answered('403', 0, { applied: true })] }],
    ['I5', 'one that is said to be applied, and is not', { ...DEAD, end: deadEnd({ verdict: 'applied-once' }) }],
    ['I5', 'one without a verdict', { ...DELIVERED, end: withoutVerdict() }],
    [
      'I5',
      'one in doubt whose every answer proves that it was not applied',
      { ...DEAD, end: deadEnd({ verdict: 'in-doubt' }) },
    ],
    [
      'I5',
      'one in doubt although a rejection has settled it',
      { ...settledBy422(), end: { ...settledBy422().end, ...deadEndOf(settledBy422(), 'in-doubt') } },
    ],
    ['I5', 'one that is sure although a 500 left a doubt', died(['500', '403'])],
    ['I5', 'one that is sure although an attempt had no answer', died(['hang', '403'])],
    ['I5', 'one that is sure although a start left no record', { ...DEAD, end: deadEnd({ lost: 1 }) }],
    [
      'I5',
      'one with a lost start, and no worker was lost',
      { ...DEAD, end: deadEnd({ verdict: 'in-doubt', lost: 1 }) },
    ],
    ['I5', 'a delivered one with a lost start, and none was', { ...DELIVERED, end: deliveredEnd({ starts: 2 }) }],
    ['I5', 'a delivered one in doubt', { ...DELIVERED, end: deliveredEnd({ verdict: 'in-doubt' }) }],
    [
      'I5',
      'one whose answer was there in time, and was not read',
      {
        ...DEAD,
        end: deadEnd({
          verdict: 'in-doubt',
          status: undefined,
          envelope: undefined,
          requestId: undefined,
          reason: 'exhausted',
          journal: journalOf(attempt({ outcome: 'no-answer', status: undefined, durationMs: 100 })),
        }),
      },
    ],
    ['I6', 'a letter that stands twice', { ...DEAD, letterIds: [LETTER, LETTER] }],
    ['I6', 'a letter of no write', { ...DEAD, stray: ['x.g0'] }],
    [
      'I6',
      'a letter that cannot be read',
      { ...DEAD, end: { ...deadEnd(), letter: UNREADABLE, letters: [UNREADABLE] } },
    ],
    ['I6', 'a letter with the id of another', { ...DEAD, end: deadEnd({ id: 'x.g0' }) }],
    ['I6', 'a letter with another status', { ...DEAD, end: deadEnd({ status: 500 }) }],
    ['I6', 'a letter with another code', { ...DEAD, end: deadEnd({ envelope: { ...FORBIDDEN, code: 'GONE' } }) }],
    ['I6', 'a letter with another message', { ...DEAD, end: deadEnd({ envelope: { ...FORBIDDEN, message: 'No.' } }) }],
    ['I6', 'a letter without the envelope', { ...DEAD, end: deadEnd({ envelope: undefined }) }],
    ['I6', 'a letter without the request_id', { ...DEAD, end: deadEnd({ requestId: undefined }) }],
    [
      'I6',
      'a letter with an answer that is not the last',
      { ...exhausted, end: deadEndOf(exhausted, 'not-applied', { status: 403, envelope: FORBIDDEN }) },
    ],
    ['I6', 'a letter without the write', { ...DEAD, end: deadEnd({ write: undefined }) }],
    ['I6', 'a letter with another body', { ...DEAD, end: deadEnd({ write: { ...writeIn(), body: '{}' } }) }],
    ['I6', 'a letter with another path', { ...DEAD, end: deadEnd({ write: { ...writeIn(), path: '/v1/stores' } }) }],
    [
      'I6',
      'a letter with another key',
      { ...DEAD, end: deadEnd({ write: { ...writeIn(), idempotencyKey: OTHER_KEY } }) },
    ],
    ['I6', 'a letter from before the campaign', { ...DEAD, end: deadEnd({ deadAt: START - 1 }) }],
    ['I6', 'a letter from times to come', { ...DEAD, end: deadEnd({ deadAt: Date.now() + 60_000 }) }],
    [
      'I6',
      'one that is rejected for a 503',
      { ...exhausted, end: deadEndOf(exhausted, 'not-applied', { reason: 'rejected' }) },
    ],
    ['I6', 'one that is exhausted after a 403', { ...DEAD, end: deadEnd({ reason: 'exhausted' }) }],
    [
      'I6',
      'one that is exhausted before its last attempt',
      died(['503', '503'], { reason: 'exhausted', status: 503, envelope: UNAVAILABLE }),
    ],
    ['I6', 'one that is invalid, and is whole', { ...DEAD, end: deadEnd({ reason: 'invalid' }) }],
    ['I6', 'one whose key has expired too early', { ...EXPIRED, keyTtlMs: 8000 }],
    ['I6', 'one that is said to be no write, and nobody overwrote it', { ...OVERWRITTEN, writeLost: false }],
    [
      'I6',
      'one whose answer is not whole, and no network broke it',
      { ...DEAD, end: deadEnd({ envelope: { code: 'HTTP_403' } }) },
    ],
    ['I6', 'one whose key is said to have expired, and lives', { ...DEAD, end: deadEnd({ reason: 'key-expired' }) }],
    ['I6', 'one that is too late, and had no expiry', { ...DEAD, end: deadEnd({ reason: 'too-late' }) }],
    [
      'I6',
      'a journal that skips an attempt',
      { ...DEAD, end: deadEnd({ journal: journalOf(attempt({ attempt: 2 })) }) },
    ],
    [
      'I6',
      'a journal with an answer that the API has not given',
      { ...DEAD, end: deadEnd({ journal: journalOf(attempt({ status: 422 })) }) },
    ],
    ['I6', 'a send that no journal accounts for', { ...DEAD, sends: [answered('403', 0), answered('403', 1)] }],
    [
      'I6',
      'one that is forgotten, and was not sent when something may be lost',
      {
        ...DEAD,
        sends: [answered('403', 0), answered('403', 1)],
        lossWindows: [{ from: START + 5000, until: START + 6000 }],
      },
    ],
    [
      'I6',
      'one that its worker sent twice when what may be lost was over',
      {
        ...DELIVERED,
        sends: [send(), send({ at: START + 900, applied: false }), send({ at: START + 1800, applied: false })],
        lossWindows: [{ from: START + 200, until: START + 250 }],
      },
    ],
    ['I7', 'a send of another payload', { ...DELIVERED, sends: [send({ payloadSha256: 'b' })] }],
    ['I7', 'a send under a key that nobody added', { ...DELIVERED, seenKeys: [KEY, OTHER_KEY] }],
    ['I7', 'a send without a key', { ...DELIVERED, anonymous: [send()] }],
    [
      'I8',
      'a retry without a wait',
      {
        ...retried(110),
        end: deliveredEnd({ starts: 2, journal: journalOf(attempt({ status: 503, disposition: 'retry' })) }),
      },
    ],
    ['I8', 'a wait below base', retried(99)],
    ['I8', 'a wait above 1.2 base', retried(121)],
    ['I8', 'a wait that is long for a Retry-After that nobody asked for', retried(1000)],
    ['I8', 'a wait that is shorter than the Retry-After', retried(110, { step: '429:retry-after=1' })],
    ['I8', 'a wait that is longer than the Retry-After', retried(1001, { step: '429:retry-after=1' })],
    ['I8', 'a retry that was sent before its time', retried(110, { lateMs: -5, sentLateMs: -5 })],
    [
      'I8',
      "one that was sent before its time by the API's clock",
      retried(110, { arrivedLateMs: 10, lateMs: 0, sentLateMs: -4 }),
    ],
    ['I11', 'one that is dead as crashed after one death', crashed(1)],
    ['I11', 'one that is dead as crashed, and nothing died', crashed(6, { losses: 0 })],
    ['I11', 'one that is dead as crashed, and other workers died', crashed(6, { slot: 3 })],
    [
      'I11',
      'one that is dead as crashed, and fewer died in its life',
      { ...crashed(6), losses: crashed(6).losses.map(({ slot, at }) => ({ slot, at: at - 10_000 })) },
    ],
    ['I11', 'poison that is not dead as crashed', { ...DEAD, poison: [KEY] }],
  ] as [Invariant, string, Facts][])('%s: %s', (invariant, _, facts) => {
    expect(brokenBy(facts)).toContain(invariant);
  });

  test('I10: a secret in a file, be it cut by a read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'waybill-judge-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'log'), `${'x'.repeat(65_530)}a-secret-of-16-ch\n`);
    const judgement = emptyJudgement();
    await judgeSecrets(judgement, folder, finderOf(['another-secret']));
    expect(judgement.I10).toMatchObject({ checked: 1, violations: 0 });
    await judgeSecrets(judgement, folder, finderOf(['a-secret-of-16-ch']));
    expect(judgement.I10).toMatchObject({ checked: 2, violations: 1 });
  });
});

const writeIn = (): NonNullable<ReturnType<typeof letterWith>['write']> => letterWith().write ?? ({} as never);

function withoutVerdict(): Facts['end'] {
  const { verdict: _verdict, ...end } = deliveredEnd();
  return end;
}

/** The same, with something else in its letter. */
function deadEndOf(
  { end }: Facts,
  verdict: 'in-doubt' | 'not-applied',
  facts: Parameters<typeof letterWith>[0] = {},
): Facts['end'] {
  if (!end.letter || 'unreadable' in end.letter) throw new Error('it has no letter');
  return deadEnd({ ...end.letter, verdict, ...facts });
}

test('what a power loss may take is counted apart', () => {
  const window = { from: START, until: START + 90 };
  const lost: Facts = { ...GONE, lossWindows: [window] };
  expect(brokenBy(lost)).toEqual([]);
  expect(judge(evidenceOf(lost)).measured.lost).toBe(1);
  const sends = [answered('403', 0), answered('403', 1)];
  const forgotten: Facts = {
    ...DEAD,
    sends,
    lossWindows: [{ from: START + 100, until: START + 300, keepsWrites: true }],
  };
  expect(brokenBy(forgotten)).toEqual([]);
  expect(judge(evidenceOf(forgotten)).measured.forgotten).toBe(1);
});

test('an answer that came when the time of its attempt was over leaves a doubt, and is counted', () => {
  const late: Facts = {
    ...DEAD,
    end: deadEnd({
      verdict: 'in-doubt',
      status: undefined,
      envelope: undefined,
      requestId: undefined,
      reason: 'exhausted',
      journal: journalOf(attempt({ outcome: 'no-answer', status: undefined, durationMs: 1000 })),
    }),
    maxAttempts: 1,
  };
  expect(brokenBy(late)).toEqual([]);
  expect(judge(evidenceOf(late)).measured).toMatchObject({ late: 1, ended: 1, inDoubt: 1 });
});

test('a double that a person has accepted is allowed once, and stays in doubt', () => {
  const losses = [{ slot: 0, at: START + 150 }];
  const end = deliveredEnd({ starts: 2, verdict: 'in-doubt' });
  const twice: Facts = { ...DELIVERED, losses, sends: [send(), send()], end };
  expect(brokenBy({ ...twice, doubtAccepted: true, mayApply: 2 })).toEqual([]);
  expect(brokenBy({ ...twice, doubtAccepted: true, mayApply: 1 })).toEqual(['I3']);
  expect(brokenBy({ ...DELIVERED, doubtAccepted: true })).toEqual(['I5']);
});

test('what is sent when its key may have ended is told by the time of its first send', () => {
  const at = (...times: number[]) => times.map((ms) => send({ at: START + ms }));
  expect(sentAfterItsKey(at(0, 1000, 3999), 4000)).toEqual([]);
  expect(sentAfterItsKey(at(500, 4499, 4500, 6000), 4000)).toEqual([0, 1500]);
  expect(sentAfterItsKey([], 4000)).toEqual([]);
});
