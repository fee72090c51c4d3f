// Which dead letters are meant: one filter for the list, the export, replay and discard.
import { type DeadReason } from '../core/decide.ts';
import { fieldOf } from '../core/envelope.ts';
import type { Verdict } from '../core/verdict.ts';
import type { DeadLetter } from './letter.ts';

/** Every part that is given must hold; without any part every letter is meant. */
export interface LetterFilter {
  /** The envelope's code, exactly. */
  code?: string;
  /** The offending field in the envelope's details, exactly. */
  field?: string;
  status?: number;
  reason?: DeadReason;
  verdict?: Verdict;
  /** Dead before this time, epoch ms. */
  before?: number;
  /** Dead at this time or after, epoch ms. */
  since?: number;
}

export function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const { code, field, status, reason, verdict, before, since } = filter;
  return (
    (code === undefined || letter.envelope?.code === code) &&
    (field === undefined || fieldOf(letter.envelope) === field) &&
    (status === undefined || letter.status === status) &&
    (reason === undefined || letter.reason === reason) &&
    (verdict === undefined || letter.verdict === verdict) &&
    (before === undefined || letter.deadAt < before) &&
    (since === undefined || letter.deadAt >= since)
  );
}

/** Whether a filter asks for more than a time. */
export const looksInside = ({ before: _before, since: _since, ...inside }: LetterFilter): boolean =>
  Object.values(inside).some((value) => value !== undefined);
