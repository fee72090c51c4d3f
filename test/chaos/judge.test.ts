// The judge is shown evidence that was doctored, one piece at a time: each invariant must be seen to fail, or a campaign
// that finds nothing says nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Attempt, emptyJournal, type Journal } from '../../core/journal.ts';
import { jobIdOf } from '../../core/write.ts';
import type { LedgerEntry, LedgerSend } from '../../dev/testing.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import { letterId } from '../../queue/keys.ts';
import { type DatedAct, judgeActs, judgePlaces, type Told } from './audited.ts';
import type { End } from './ends.ts';
import { emptyJudgement, type Evidence, INVARIANTS, type Invariant, judge, judgeSecrets } from './judge.ts';
import { Ledger } from './ledger.ts';

const KEY = '6f1f8a52-93a5-4a5c-9c7d-0f4c6b1f2e3a';
const LETTER = letterId(jobIdOf(KEY), 0);
const OTHER_KEY = '11111111-93a5-4a5c-9c7d-0f4c6b1f2e3a';

interface Facts {
  plan: 'delivered' | 'dead';
  acknowledged: boolean;
  end: End;
  sends: LedgerSend[];
  seenKeys: string[];
  letterIds: string[];
  stray: string[];
  poison: string[];
  losses: number;
  mayLose: boolean;
}

const send = (facts: Partial<LedgerSend> = {}): LedgerSend => ({
  at: 1000,
  payloadSha256: 'a',
  path: '/',
  step: 'ok',
  status: 201,
  applied: true,
  ...facts,
});

const attempt = (facts: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  at: 1000,
  durationMs: 10,
  outcome: 'response',
  evidence: 'nothing',
  disposition: 'dead',
  status: 403,
  ...facts,
});

const journalOf = (...attempts: Attempt[]): Journal => ({ ...emptyJournal(), attempts });

const letterWith = (facts: Partial<FiledLetter> = {}): FiledLetter => ({
  id: LETTER,
  destination: 'orders',
  jobId: jobIdOf(KEY),
  deadAt: 2000,
  enqueuedAt: 900,
  reason: 'rejected',
  because: '403',
  verdict: 'not-applied',
  status: 403,
  envelope: { code: 'FORBIDDEN' },
  lost: 0,
  journal: journalOf(attempt({ envelope: { code: 'FORBIDDEN' } })),
  state: 'open',
  acts: [],
  ...facts,
});

const deadEnd = (facts: Partial<FiledLetter> = {}): End => {
  const letter = letterWith(facts);
  const { verdict, journal, lost } = letter;
  return { places: ['dead'], verdict, journal, lost, letter, letters: [letter] };
};

const deliveredEnd = (facts: Partial<End> = {}): End => ({
  places: ['delivered'],
  verdict: 'applied-once',
  journal: emptyJournal(),
  lost: 0,
  starts: 1,
  letters: [],
  ...facts,
});

const DELIVERED: Facts = {
  plan: 'delivered',
  acknowledged: true,
  end: deliveredEnd(),
  sends: [send()],
  seenKeys: [KEY],
  letterIds: [],
  stray: [],
  poison: [],
  losses: 100,
  mayLose: false,
};
const DEAD: Facts = {
  ...DELIVERED,
  plan: 'dead',
  end: deadEnd(),
  sends: [send({ applied: false, status: 403 })],
  letterIds: [LETTER],
};

function evidenceOf(facts: Facts): Evidence {
  const ledger = new Ledger();
  ledger.intend(KEY, { steps: ['ok'], ending: facts.plan });
  if (facts.acknowledged) ledger.acknowledge(KEY);
  const { sends } = facts;
  const entry: LedgerEntry = {
    key: KEY,
    sends,
    applications: sends.filter(({ applied }) => applied).length,
    payloadHashes: [...new Set(sends.map(({ payloadSha256 }) => payloadSha256))],
    firstAt: 1000,
    lastAt: 1000,
  };
  return {
    ledger,
    sends: () => (sends.length > 0 ? entry : undefined),
    seenKeys: facts.seenKeys,
    ends: { of: () => facts.end, letterIds: facts.letterIds, strayLetters: () => facts.stray },
    policy: { baseMs: 100, capMs: 1000, jitter: 0.2, maxCrashes: 5 },
    poison: new Set(facts.poison),
    losses: facts.losses,
    mayLose: facts.mayLose,
  };
}

const brokenBy = (facts: Facts): Invariant[] => {
  const { judgement } = judge(evidenceOf(facts));
  return (Object.keys(INVARIANTS) as Invariant[]).filter((name) => judgement[name].violations > 0);
};

/** A delivered write whose first attempt was tried again after so long, and so late. */
const retried = (delayMs: number, lateMs = 1, retryAfterMs?: number): Facts => ({
  ...DELIVERED,
  sends: [send({ applied: false, status: 503 }), send()],
  end: deliveredEnd({
    starts: 2,
    journal: journalOf(
      attempt({
        status: 503,
        disposition: 'retry',
        wait: { delayMs, ...(retryAfterMs !== undefined && { retryAfterMs }) } as NonNullable<Attempt['wait']>,
      }),
      attempt({ attempt: 2, at: 1010 + delayMs + lateMs, disposition: 'delivered', status: 201, evidence: 'applied' }),
    ),
  }),
});

test.each([
  ['a delivered write', DELIVERED],
  ['a dead one', DEAD],
  ['one that was tried again in time', retried(110)],
  ['one whose Retry-After was kept', retried(5000, 1, 5000)],
  ['one that was added and nobody was told so', { ...DELIVERED, acknowledged: false }],
  [
    'one that was never stored, and nobody was told so',
    { ...DELIVERED, acknowledged: false, sends: [], seenKeys: [], end: { places: [], lost: 0, letters: [] } },
  ],
  [
    'one that is dead as crashed, and whose worker kept dying',
    { ...DEAD, end: deadEnd({ reason: 'crashed', lost: 6 }) },
  ],
] satisfies [string, Facts][])('%s breaks nothing', (_, facts) => {
  expect(brokenBy(facts)).toEqual([]);
});

describe('broken is', () => {
  test.each([
    ['I1', 'an acknowledged write that stands nowhere', { ...DELIVERED, end: { places: [], lost: 0, letters: [] } }],
    ['I1', 'one that still waits', { ...DELIVERED, end: deliveredEnd({ places: ['waiting'] }) }],
    ['I2', 'one that stands in two places', { ...DELIVERED, end: deliveredEnd({ places: ['delivered', 'dead'] }) }],
    ['I2', 'one that is dead and should have been delivered', { ...DEAD, plan: 'delivered' }],
    ['I3', 'one that was applied twice', { ...DELIVERED, sends: [send(), send()], end: deliveredEnd({ starts: 2 }) }],
    ['I4', 'one that is delivered and was not applied', { ...DELIVERED, sends: [send({ applied: false })] }],
    ['I5', 'one that is said not to be applied, and is', { ...DEAD, sends: [send({ status: 403 })] }],
    ['I5', 'one that is said to be applied, and is not', { ...DEAD, end: deadEnd({ verdict: 'applied-once' }) }],
    ['I6', 'a letter that stands twice', { ...DEAD, letterIds: [LETTER, LETTER] }],
    ['I6', 'a letter of no write', { ...DEAD, stray: ['x.g0'] }],
    ['I6', 'a letter without the error', { ...DEAD, end: { ...deadEnd(), letter: letterWith({ status: 500 }) } }],
    [
      'I6',
      'a journal that skips an attempt',
      { ...DEAD, end: deadEnd({ journal: journalOf(attempt({ attempt: 2, envelope: { code: 'FORBIDDEN' } })) }) },
    ],
    [
      'I6',
      'a send that no journal accounts for',
      { ...DEAD, sends: [send({ applied: false }), send({ applied: false })] },
    ],
    [
      'I7',
      'a send of another payload',
      { ...retried(110), sends: [send({ applied: false }), send({ payloadSha256: 'b' })] },
    ],
    ['I7', 'a send under a key that nobody added', { ...DELIVERED, seenKeys: [KEY, OTHER_KEY] }],
    ['I8', 'a wait below base', retried(99)],
    ['I8', 'a wait above 1.2 base', retried(121)],
    ['I8', 'a retry that was sent before its time', retried(110, -5)],
    ['I11', 'one that is dead as crashed after one death', { ...DEAD, end: deadEnd({ reason: 'crashed', lost: 1 }) }],
    [
      'I11',
      'one that is dead as crashed, and nothing died',
      { ...DEAD, losses: 0, end: deadEnd({ reason: 'crashed', lost: 6 }) },
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
    await judgeSecrets(judgement, folder, ['another-secret']);
    expect(judgement.I10).toMatchObject({ checked: 1, violations: 0 });
    await judgeSecrets(judgement, folder, ['a-secret-of-16-ch']);
    expect(judgement.I10).toMatchObject({ checked: 2, violations: 1 });
  });
});

test('what a power loss may take is counted apart', () => {
  const facts: Facts = { ...DELIVERED, mayLose: true, end: { places: [], lost: 0, letters: [] } };
  expect(brokenBy(facts)).toEqual([]);
  expect(judge(evidenceOf(facts)).measured.lost).toBe(1);
});

describe('of the acts of operators, broken is', () => {
  const act = (facts: Partial<DatedAct> & Pick<DatedAct, 'act' | 'doneAt'>): DatedAct => ({
    id: `${facts.act} ${facts.doneAt}`,
    at: facts.doneAt,
    by: 'somebody',
    reason: 'why not',
    letter: LETTER,
    jobId: jobIdOf(KEY),
    verdict: 'not-applied',
    ...facts,
  });
  const discarded = act({ act: 'discard', doneAt: 2000 });
  const restored = act({ act: 'restore', doneAt: 3000 });
  const replayed = act({ act: 'replay', doneAt: 4000 });
  const moved = act({ act: 'replay', doneAt: 4000, newKey: { idempotencyKey: OTHER_KEY, jobId: jobIdOf(OTHER_KEY) } });
  const sentAt = (...times: number[]) =>
    times.map((at) => send({ at, applied: at === times.at(-1), status: at === times.at(-1) ? 201 : 403 }));
  const brokenActs = (acts: DatedAct[], sends: Record<string, LedgerSend[]>, told?: [string, Told][]): string[] =>
    judgeActs({
      acts,
      told: new Map(told ?? acts.map(({ id }) => [id, 'done'])),
      sendsOf: (key) => sends[key] ?? [],
      keys: [KEY, OTHER_KEY],
    });

  test('nothing, where each was done once, and the write sent in its lives only', () => {
    expect(brokenActs([discarded, restored, replayed], { [KEY]: sentAt(1000, 4001) })).toEqual([]);
    expect(brokenActs([moved], { [KEY]: [send({ applied: false })], [OTHER_KEY]: sentAt(4001) })).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    [
      'a discarded write that is sent',
      brokenActs([discarded], { [KEY]: sentAt(1000, 2500) }),
      /sent 500 ms after its discard/,
    ],
    ['a restored one', brokenActs([discarded, restored], { [KEY]: sentAt(3500) }), /sent 500 ms after its restore/],
    [
      'one that goes on under another key',
      brokenActs([moved], { [KEY]: sentAt(4500) }),
      /sent 500 ms after its replay/,
    ],
    ['a replay of what was discarded', brokenActs([discarded, replayed], {}), /replay of .*which was discarded/],
    ['an act that is noted twice', brokenActs([discarded, restored, discarded], {}), /noted 2 times/],
    ['an act that is in no audit', brokenActs([], {}, [['gone', 'done']]), /is not in the audit/],
    ['a refused one that is in it', brokenActs([discarded], {}, [[discarded.id, 'refused']]), /was refused/],
    ['one that nobody asked for', brokenActs([discarded], {}, []), /nobody asked/],
    [
      'a write that both keys applied',
      brokenActs([moved], { [KEY]: sentAt(1000), [OTHER_KEY]: sentAt(4500) }),
      /applied 2 times/,
    ],
    ['a new key for a write in doubt', brokenActs([{ ...moved, verdict: 'in-doubt' }], {}), /and is in-doubt/],
  ])('%s', (_, broken, text) => {
    expect(broken).toEqual(expect.arrayContaining([expect.stringMatching(text)]));
  });

  test('a write that does not stand where the last act has put it', () => {
    const ends = { of: () => deadEnd(), letterIds: [], strayLetters: () => [] };
    expect(judgePlaces([], ends, [KEY])).toEqual([]);
    expect(judgePlaces([discarded], ends, [KEY])).toEqual([`${KEY} stands dead, not discarded`]);
    expect(judgePlaces([replayed], ends, [KEY])).toEqual([`${KEY} stands dead, not delivered`]);
  });
});
