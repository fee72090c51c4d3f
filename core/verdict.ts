// What can be said of a write at the API: applied once, not applied, or in doubt. Pure: the journal is all it looks at.
import type { Policy } from './decide.ts';
import type { Evidence, Journal } from './journal.ts';
import type { Outcome } from './outcome.ts';

export const VERDICTS = ['applied-once', 'not-applied', 'in-doubt'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Rejections that an API with idempotency keys gives after it looked the key up. */
const AFTER_LOOKUP = new Set([400, 404, 409, 422]);

/**
 * What one outcome proves.
 * @param keyAlive whether the API still knows the key; a rejection after its life says nothing about earlier sends
 */
export function evidenceOf(
  outcome: Outcome,
  policy: Pick<Policy, 'unappliedStatuses' | 'inProgressCodes'>,
  keyAlive: boolean,
): Evidence {
  switch (outcome.kind) {
    case 'blocked':
    case 'not-sent':
      return 'nothing';
    case 'no-answer':
      return 'doubt';
    case 'response': {
      const { status, envelope, cut } = outcome;
      if (status >= 200 && status < 300) return 'applied';
      // The API is still working on an earlier send of this key.
      if (status === 409 && envelope && policy.inProgressCodes.includes(envelope.code)) return 'doubt';
      // It may have said that.
      if (status === 409 && cut) return 'doubt';
      if (AFTER_LOOKUP.has(status)) return keyAlive ? 'not-applied' : 'nothing';
      // 401, 403, 429 and the other 4xx are given before the write is looked at, or prove nothing about earlier sends.
      if (status >= 400 && status < 500) return 'nothing';
      if (policy.unappliedStatuses.includes(status)) return 'nothing';
      // Any other 5xx, and 3xx: many an application answers an applied POST with a redirect.
      return 'doubt';
    }
  }
}

/** The verdict of a delivered write, whose last answer was a 2xx. */
export const verdictOfDelivered = (journal: Journal): Verdict =>
  journal.doubtBefore === 'final' ? 'in-doubt' : 'applied-once';

/**
 * The verdict of a journal.
 * @param lost starts without a record since the last entry
 */
export function verdictOf(journal: Journal, lost = 0): Verdict {
  // What was sent under another key, or in an earlier life of this one, no answer can settle any more.
  if (journal.doubtBefore === 'final') return 'in-doubt';
  let verdict: Verdict =
    journal.postponedInDoubt === true || journal.doubtBefore !== undefined ? 'in-doubt' : 'not-applied';
  for (const entry of journal.attempts) {
    if (entry.lost) verdict = 'in-doubt';
    if (entry.evidence === 'applied') return 'applied-once';
    if (entry.evidence === 'doubt') verdict = 'in-doubt';
    if (entry.evidence === 'not-applied') verdict = 'not-applied';
  }
  return lost > 0 ? 'in-doubt' : verdict;
}
