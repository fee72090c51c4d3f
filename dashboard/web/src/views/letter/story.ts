// The life of a write as one list by time: taken on, sent, given up, and what people did with it.
import type { LetterDetail, ShownAct, ShownAttempt } from '../../../../api/contract/letters.ts';

export type Chapter =
  | Dated
  /** What became of a write that was replayed under its own key; it stands last. */
  | { kind: 'since'; state: string };

export type Dated =
  | { kind: 'enqueued'; at: number }
  | { kind: 'attempt'; at: number; attempt: ShownAttempt; sentBy: SentBy }
  /** Put off without spending attempts, so and so often; the last time is known. */
  | { kind: 'postponed'; at: number; times: number; last: ShownAttempt }
  | { kind: 'lost'; at: number; times: number }
  | { kind: 'dead'; at: number }
  | { kind: 'act'; at: number; act: ShownAct };

/** The first attempt after a replay is a person's, all others are the queue's own. */
export type SentBy = 'automatic' | 'manual';

/** The oldest first. Where two have the same time, in the order in which they happen. */
export function storyOf(detail: LetterDetail): Chapter[] {
  const { letter, journal, acts, writeState, replacedBy } = detail;
  const chapters: Dated[] = [];
  if (letter.enqueuedAt !== undefined) chapters.push({ kind: 'enqueued', at: letter.enqueuedAt });
  journal?.attempts.forEach((attempt, index) => {
    const sentBy = index === 0 && (letter.generation ?? 0) > 0 ? 'manual' : 'automatic';
    chapters.push({ kind: 'attempt', at: attempt.at, attempt, sentBy });
  });
  if (journal?.lastPostponed && journal.postponed > 0) {
    const last = journal.lastPostponed;
    chapters.push({ kind: 'postponed', at: last.at, times: journal.postponed, last });
  }
  // Those before a recorded attempt stand at that attempt.
  const recorded = journal?.attempts.reduce((sum, { lost = 0 }) => sum + lost, 0) ?? 0;
  const untold = (journal?.lost ?? 0) - recorded;
  if (untold > 0) chapters.push({ kind: 'lost', at: letter.deadAt, times: untold });
  chapters.push({ kind: 'dead', at: letter.deadAt });
  for (const act of acts) chapters.push({ kind: 'act', at: act.at, act });
  const told = chapters.toSorted((a, b) => a.at - b.at);
  return letter.state === 'replayed' && !replacedBy && writeState !== undefined
    ? [...told, { kind: 'since', state: writeState }]
    : told;
}
