// Evidence of one write, made by hand, for the tests of the judge.
import { type Attempt, emptyJournal, type Journal } from '../../core/journal.ts';
import { jobIdOf } from '../../core/write.ts';
import type { LedgerEntry, LedgerSend } from '../../dev/testing.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';
import { letterId } from '../../queue/keys.ts';
import type { End } from './ends.ts';
import type { Evidence } from './evidence.ts';
import { bodyTextOf, payloadHashOf } from './judge-sends.ts';
import { Ledger } from './ledger.ts';
import type { Plan } from './plans.ts';

export const KEY = '6f1f8a52-93a5-4a5c-9c7d-0f4c6b1f2e3a';
export const LETTER = letterId(jobIdOf(KEY), 0);
export const OTHER_KEY = '11111111-93a5-4a5c-9c7d-0f4c6b1f2e3a';
/** Of the campaign, epoch ms. */
export const START = 1_790_000_000_000;
const TIMEOUT_MS = 1000;

export interface Facts extends Pick<Evidence, 'seenKeys' | 'losses' | 'lossWindows' | 'drained'> {
  steps: readonly string[];
  /** Sent without a key. */
  anonymous: readonly LedgerSend[];
  plan: Plan['ending'];
  acknowledgedAt: readonly number[];
  mayApply: number;
  doubtAccepted: boolean;
  end: End;
  /** Whose payload is that of the plan where it is `PLANNED`. */
  sends: readonly LedgerSend[];
  letterIds: readonly string[];
  stray: string[];
  poison: readonly string[];
  maxAttempts: number;
  keyTtlMs: number;
  answersBreak: boolean;
  repliesBreak: boolean;
  clocksDifferMs: number;
  writeLost: boolean;
}

const PLANNED = 'that of the plan';

export const send = (facts: Partial<LedgerSend> = {}): LedgerSend => ({
  at: START + 100,
  payloadSha256: PLANNED,
  path: '/v1/subscriptions/opt-in',
  client: 0,
  step: 'ok',
  status: 201,
  applied: true,
  ...facts,
});

/** The i-th send, of such a step, which applies nothing; without an answer where the API hangs. */
export const answered = (step: string, i: number, facts: Partial<LedgerSend> = {}): LedgerSend =>
  send({
    at: START + 100 + i * 2200,
    step,
    status: step === 'hang' ? null : Number(step.slice(0, 3)),
    applied: false,
    ...facts,
  });

/** What is undefined is left out. */
type Loose<T> = { [K in keyof T]?: T[K] | undefined };

const without = <T extends object>(facts: T): T =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T;

export const attempt = (facts: Loose<Attempt> = {}): Attempt =>
  without({
    attempt: 1,
    at: START + 100,
    durationMs: 10,
    outcome: 'response',
    evidence: 'nothing',
    disposition: 'dead',
    status: 403,
    ...facts,
  } as Attempt);

export const journalOf = (...attempts: Attempt[]): Journal => ({ ...emptyJournal(), attempts });

const writeFor = (steps: readonly string[]): FiledLetter['write'] => ({
  method: 'POST',
  path: '/v1/subscriptions/opt-in',
  body: bodyTextOf({ plan: { steps, ending: 'dead' } }) ?? '',
  idempotencyKey: KEY,
});

export const letterWith = (facts: Loose<FiledLetter> = {}, steps: readonly string[] = ['403']): FiledLetter =>
  without({
    id: LETTER,
    destination: 'orders',
    jobId: jobIdOf(KEY),
    deadAt: START + 20_000,
    enqueuedAt: START + 20,
    reason: 'rejected',
    because: '403',
    verdict: 'not-applied',
    status: 403,
    envelope: { code: 'FORBIDDEN', message: 'The API key lacks the permission for this request.' },
    requestId: 'a-request',
    lost: 0,
    journal: journalOf(attempt()),
    write: writeFor(steps),
    state: 'open',
    acts: [],
    ...facts,
  } as FiledLetter);

/** With a letter whose write is one of such steps, where it is not given. */
export const deadEnd = (facts: Loose<FiledLetter> = {}, steps?: readonly string[]): End => {
  const letter = letterWith(facts, steps);
  const { verdict, journal, lost } = letter;
  return { places: ['dead'], verdict, journal, lost, letter, letters: [letter] };
};

export const deliveredEnd = (facts: Partial<End> = {}): End => ({
  places: ['delivered'],
  verdict: 'applied-once',
  journal: emptyJournal(),
  lost: 0,
  starts: 1,
  letters: [],
  ...facts,
});

export const DELIVERED: Facts = {
  steps: ['ok'],
  plan: 'delivered',
  acknowledgedAt: [START + 10],
  mayApply: 1,
  doubtAccepted: false,
  end: deliveredEnd(),
  sends: [send()],
  anonymous: [],
  seenKeys: [KEY],
  letterIds: [],
  stray: [],
  poison: [],
  losses: [],
  lossWindows: [],
  drained: true,
  maxAttempts: 5,
  keyTtlMs: 86_400_000,
  answersBreak: false,
  repliesBreak: false,
  clocksDifferMs: 0,
  writeLost: false,
};
export const DEAD: Facts = {
  ...DELIVERED,
  steps: ['403'],
  plan: 'dead',
  end: deadEnd(),
  sends: [answered('403', 0)],
  letterIds: [LETTER],
};

export function evidenceOf(facts: Facts): Evidence {
  const ledger = new Ledger();
  const entry = ledger.intend(KEY, { steps: facts.steps, ending: facts.plan });
  for (const at of facts.acknowledgedAt) ledger.acknowledge(KEY, at);
  entry.mayApply = facts.mayApply;
  entry.doubtAccepted = facts.doubtAccepted;
  entry.writeLost = facts.writeLost;
  const sends = facts.sends.map((one) =>
    one.payloadSha256 === PLANNED ? { ...one, payloadSha256: payloadHashOf(entry) } : one,
  );
  const seen: LedgerEntry = {
    key: KEY,
    sends,
    applications: sends.filter(({ applied }) => applied).length,
    payloadHashes: [...new Set(sends.map(({ payloadSha256 }) => payloadSha256))],
    firstAt: sends[0]?.at ?? 0,
    lastAt: sends.at(-1)?.at ?? 0,
  };
  return {
    ledger,
    oracle: () => (sends.length > 0 ? seen : undefined),
    anonymous: { sends: facts.anonymous },
    seenKeys: facts.seenKeys,
    ends: { of: () => facts.end, letterIds: facts.letterIds, strayLetters: () => facts.stray },
    policy: {
      baseMs: 100,
      capMs: 1000,
      jitter: 0.2,
      retryAfterCapMs: 10_000,
      maxAttempts: facts.maxAttempts,
      maxCrashes: 5,
      timeoutMs: TIMEOUT_MS,
      keyTtlMs: facts.keyTtlMs,
      clocksDifferMs: facts.clocksDifferMs,
      answersBreak: facts.answersBreak,
      repliesBreak: facts.repliesBreak,
    },
    poison: new Set(facts.poison),
    losses: facts.losses,
    lossWindows: facts.lossWindows,
    drained: facts.drained,
    startedAt: START,
  };
}
