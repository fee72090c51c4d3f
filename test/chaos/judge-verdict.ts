// I5, from both sides: what is said for sure is true, and nothing is in doubt whose answers are all known.
import type { Journal } from '../../core/journal.ts';
import type { Verdict } from '../../core/verdict.ts';
import { type Proof, proofOf, verdictFrom } from './api-answers.ts';
import type { JudgedPolicy } from './evidence.ts';
import type { Joined, JoinedAttempt } from './joined.ts';
import type { Look, Measured } from './judgement.ts';

/** By how much an attempt may fall short of its deadline and have run into it. */
const DEADLINE_SLACK_MS = 20;

/** In doubt may be either; the others are promises. */
export function isTrue(verdict: string | undefined, applications: number): boolean {
  if (verdict === 'not-applied') return applications === 0;
  return verdict === 'in-doubt' || (verdict === 'applied-once' && applications === 1);
}

/** A generation of a write that died, and what its letter says of it. */
export interface Died {
  journal: Journal;
  attempts: readonly JoinedAttempt[];
  /** Starts without a record since the last of them. */
  lost: number;
  verdict: string | undefined;
}

/**
 * Each generation's verdict against the one that follows from what the API is known to have said, and from which starts
 * left no record: those may have applied it.
 * @param doubtAccepted a person accepted that it may be applied twice: no answer settles that any more
 */
export function judgeVerdicts(
  look: Look,
  measured: Measured,
  policy: JudgedPolicy,
  generations: readonly Died[],
  unrecorded: Joined['unrecorded'],
  doubtAccepted: boolean,
): void {
  let before: Verdict = doubtAccepted ? 'in-doubt' : 'not-applied';
  for (const { journal, attempts, lost, verdict } of generations) {
    // The journal keeps of what was postponed the last one only.
    const postponed = journal.postponed > 0 ? unrecorded.map(({ said }) => proofOf(said)) : [];
    const proofs: Proof[] = [
      before === 'in-doubt' ? 'doubt' : 'nothing',
      postponed.includes('doubt') || lostBeforePostponed(journal) > 0 ? 'doubt' : 'nothing',
      ...attempts.flatMap((one): Proof[] => [...(one.attempt.lost ? ['doubt' as const] : []), proofIn(one)]),
      ...(lost > 0 ? ['doubt' as const] : []),
    ];
    const follows = doubtAccepted ? 'in-doubt' : verdictFrom(proofs);
    // What broke off may have said what the journal could not read.
    const isExcused = verdict !== follows && policy.answersBreak && verdict === 'in-doubt';
    if (isExcused) measured.excused += 1;
    const isRight = verdict === follows || isExcused;
    look(
      'I5',
      isRight,
      `generation ${journal.generation} is ${verdict ?? 'without a verdict'}, and ${follows} follows`,
    );
    before = follows;
  }
}

const lostBeforePostponed = ({ lost, attempts }: Journal): number =>
  lost - attempts.reduce((sum, attempt) => sum + (attempt.lost ?? 0), 0);

/** What was never answered to the worker stays a doubt, whatever the API says it has said. */
function proofIn({ attempt, seen }: JoinedAttempt): Proof {
  if (attempt.outcome === 'not-sent' || attempt.outcome === 'blocked') return 'nothing';
  return attempt.outcome === 'no-answer' ? 'doubt' : proofOf(seen?.said);
}

/** An answer that was put on the wire is read, but for one that came when the time of its attempt was over. */
export function judgeAnswersRead(
  look: Look,
  measured: Measured,
  { timeoutMs, answersBreak }: JudgedPolicy,
  attempts: readonly JoinedAttempt[],
): void {
  for (const { attempt, seen } of attempts) {
    if (attempt.outcome === 'response' && !seen)
      look('I6', false, `attempt ${attempt.attempt} has HTTP ${attempt.status}, which the API has not said then`);
    if (attempt.outcome !== 'no-answer' || !seen?.said) continue;
    if (answersBreak) {
      measured.excused += 1;
      continue;
    }
    const isLate = attempt.durationMs >= timeoutMs - DEADLINE_SLACK_MS;
    if (isLate) measured.late += 1;
    look(
      'I5',
      isLate,
      `attempt ${attempt.attempt} has no answer (${attempt.code}), and HTTP ${seen.said.status} was given`,
    );
  }
}
