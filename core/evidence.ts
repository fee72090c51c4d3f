// The verdict in words, and what it rests on: the same on the terminal and on the page.
import { answerOf } from './journal-text.ts';
import type { Journal } from './journal.ts';
import type { Verdict } from './verdict.ts';

const VERDICT_WORDS: Record<Verdict, string> = {
  'applied-once': 'the API applied it, once',
  'not-applied': 'the API did not apply it',
  'in-doubt': 'the API may have applied it, and no answer has settled it',
};

/** @param verdict as it stands in Redis, where it may be anything */
export const verdictInWords = (verdict: string): string =>
  Object.hasOwn(VERDICT_WORDS, verdict) ? VERDICT_WORDS[verdict as Verdict] : 'no such verdict is known';

/**
 * The entries that the verdict rests on, in words. It is drawn from the journal as core/verdict.ts draws the verdict.
 * @param lost starts without a record since the last entry
 */
export function evidenceInWords(journal: Journal, lost: number): string {
  const { attempts, doubtBefore, postponedInDoubt } = journal;
  if (doubtBefore === 'final')
    return 'an operator accepted that it may be applied twice: no answer settles that any more';
  let rests = attempts.length > 0 ? 'no attempt was answered in a way that leaves doubt' : 'it was never sent';
  if (doubtBefore !== undefined) rests = 'the generation before it was in doubt';
  if (postponedInDoubt) rests = 'a send that was postponed may have been applied';
  for (const entry of attempts) {
    const said = `attempt ${entry.attempt}: ${answerOf(entry)}`;
    if (entry.lost) rests = `${starts(entry.lost)} before attempt ${entry.attempt} left no record`;
    if (entry.evidence === 'applied') return said;
    if (entry.evidence === 'doubt') rests = `${said}; what was sent may have been applied`;
    if (entry.evidence === 'not-applied')
      rests = `${said}; the API says so after looking the key up, so that nothing before it was applied either`;
  }
  return lost > 0 ? `${starts(lost)} since the last attempt left no record` : rests;
}

const starts = (count: number): string => (count === 1 ? '1 start' : `${count} starts`);
