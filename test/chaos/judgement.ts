// What is counted: the invariants, how often each was looked at, and how often it did not hold.

export const INVARIANTS = {
  I1: 'acknowledged, and in no end state after the faults stopped',
  I2: 'not in exactly one place, or not in the one that its plan ends in',
  I3: 'applied more than once',
  I4: 'delivered, and not applied',
  I5: 'a verdict that is not true, or a doubt where every answer is known',
  I6: 'a dead letter that is doubled, stray or not what the API said, or a send that no journal accounts for',
  I7: 'a send with another payload, without a key, or under a key that nobody added',
  I8: 'a retry that was scheduled, or sent, outside of [base, 1.2 base]',
  I9: 'still held by a worker that is gone, after 2 stalled intervals and a lock (and 1 s, for a busy machine)',
  I10: 'a secret in Redis, its append-only file or a log',
  I11: 'dead as crashed, and its worker did not keep dying',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Count {
  checked: number;
  violations: number;
  /** The first few. */
  samples: string[];
}
export type Judgement = Record<Invariant, Count>;

const MAX_SAMPLES = 5;

export const emptyJudgement = (): Judgement =>
  Object.fromEntries(
    Object.keys(INVARIANTS).map((name) => [name, { checked: 0, violations: 0, samples: [] }]),
  ) as unknown as Judgement;

/** Notes one look at an invariant. */
export function look(judgement: Judgement, invariant: Invariant, holds: boolean, sample: () => string): void {
  const count = judgement[invariant];
  count.checked += 1;
  if (holds) return;
  count.violations += 1;
  if (count.samples.length < MAX_SAMPLES) count.samples.push(sample());
}

/** Looks at one write: an invariant, whether it holds, and what is wrong where it does not. */
export type Look = (invariant: Invariant, holds: boolean, what: string) => void;

/** Figures that the judge takes beside the invariants. */
export interface Measured {
  /** Acknowledged and gone, within a window in which a fault may take writes. */
  lost: number;
  /** Sends whose start is gone with what was lost, of writes that are not. */
  forgotten: number;
  /** Attempts whose answer came when their time was over, on a machine this busy: they leave a doubt. */
  late: number;
  /** Answers that were given and not read, and verdicts left in doubt by them, where something breaks answers off. */
  excused: number;
  /** Writes that have ended, and those of them that are in doubt. */
  ended: number;
  inDoubt: number;
  /** How much later than scheduled a retry was sent, ms. */
  latenessMs: number[];
  /** Each jitter as a share of its range, for the test of uniformity. */
  jitters: number[];
}

export const nothingMeasured = (): Measured => ({
  lost: 0,
  forgotten: 0,
  late: 0,
  excused: 0,
  ended: 0,
  inDoubt: 0,
  latenessMs: [],
  jitters: [],
});
