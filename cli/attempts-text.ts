// A journal as a person reads it on a terminal: one row per attempt, and what none of them tells. Every text may be the API's.
import { explainWait } from '../core/back-off.ts';
import { printable } from '../core/envelope.ts';
import { answerOf } from '../core/journal-text.ts';
import type { Attempt, Journal } from '../core/journal.ts';
import type { Delivery } from '../queue/delivery.ts';
import { isoTime } from './reading.ts';

const MAX_TEXT = 300;
const MAX_LINE = 10_000;

/** What stands in Redis may be anybody's: no type is sure. */
export const text = (value: unknown): string => printable(String(value), MAX_TEXT);
/** Last of all, whatever field a text came in. */
export const line = (value: unknown): string => printable(String(value), MAX_LINE);

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
