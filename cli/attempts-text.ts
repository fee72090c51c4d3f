// A journal as a person reads it: the verdict, what it rests on, and one row per attempt. Every text may be the API's.
import { explainWait } from '../core/back-off.ts';
import { printable } from '../core/envelope.ts';
import { answerOf } from '../core/journal-text.ts';
import type { Attempt, Journal } from '../core/journal.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Delivery } from '../queue/delivery.ts';
import { isoTime } from './reading.ts';

const MAX_TEXT = 300;
const MAX_LINE = 10_000;

export const VERDICT_WORDS: Record<Verdict, string> = {
  'applied-once': 'the API applied it, once',
  'not-applied': 'the API did not apply it',
  'in-doubt': 'the API may have applied it, and no answer has settled it',
};

/** What stands in Redis may be anybody's: no type is sure. */
export const text = (value: unknown): string => printable(String(value), MAX_TEXT);
/** Last of all, whatever field a text came in. */
export const line = (value: unknown): string => printable(String(value), MAX_LINE);

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
    if (entry.lost) rests = `${entry.lost} start(s) before attempt ${entry.attempt} left no record`;
    if (entry.evidence === 'applied') return said;
    if (entry.evidence === 'doubt') rests = `${said}; what was sent may have been applied`;
    if (entry.evidence === 'not-applied')
      rests = `${said}; the API says so after looking the key up, so that nothing before it was applied either`;
  }
  return lost > 0 ? `${lost} start(s) since the last attempt left no record` : rests;
}

/** @param delivery of a delivered write: its last attempt is not in the journal, where it would cost a round trip */
export function attemptsTable(journal: Journal, delivery: Delivery | undefined): string[][] {
  const rows = journal.attempts.map((entry) => [
    String(entry.attempt),
    isoTime(entry.at),
    answerOf(entry),
    `${Math.round(entry.durationMs)} ms`,
    text(entry.requestId ?? '-'),
    decisionOf(entry),
  ]);
  if (delivery && !journal.attempts.some(({ disposition }) => disposition === 'delivered')) {
    rows.push([
      String(delivery.attempts),
      isoTime(delivery.deliveredAt - Math.round(delivery.durationMs)),
      delivery.replayed ? `${delivery.status}, the stored answer` : String(delivery.status),
      `${Math.round(delivery.durationMs)} ms`,
      text(delivery.requestId ?? '-'),
      'delivered',
    ]);
  }
  if (rows.length === 0) return [];
  return [['attempt', 'started', 'answer', 'took', 'request_id', 'then'], ...rows].map((row) => row.map(line));
}

const decisionOf = ({ wait, disposition }: Attempt): string => (wait ? `again in ${explainWait(wait)}` : disposition);

export function postponements({ postponed, lastPostponed }: Journal): string | undefined {
  if (postponed === 0) return undefined;
  if (!lastPostponed) return `${postponed} time(s), spending no attempt`;
  const { at, because, wait } = lastPostponed;
  const last = `last ${isoTime(at)}: ${text(because ?? answerOf(lastPostponed))}`;
  const again = wait ? `, again in ${explainWait(wait)}` : '';
  return `${postponed} time(s), spending no attempt, ${last}${again}`;
}

/** @param since starts without a record since the last entry */
export function unrecorded(journal: Journal, since: number): string | undefined {
  const lost = journal.lost + since;
  return lost === 0 ? undefined : `${lost} start(s) whose worker died before it could say what happened`;
}
