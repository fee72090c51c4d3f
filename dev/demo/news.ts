// What is new about a write since it was last looked at, as lines to read.
import { explainWait } from '../../core/back-off.ts';
import { printable } from '../../core/envelope.ts';
import { answerOf } from '../../core/journal-text.ts';
import type { Attempt } from '../../core/journal.ts';
import type { Found } from '../../queue/find.ts';

export interface News {
  /** Epoch ms. */
  at: number;
  kind: 'delivered' | 'retry' | 'dead';
  text: string;
  requestId?: string;
}

/** @param told how many attempts were told before */
export function newsOf(found: Found, told: number): News[] {
  const news = found.journal.attempts.slice(told).map(newsOfAttempt);
  const { delivery } = found;
  if (found.state === 'delivered' && delivery && news.at(-1)?.kind !== 'delivered') {
    const how = delivery.replayed ? ', the stored answer: it had been applied' : '';
    news.push({
      at: delivery.deliveredAt,
      kind: 'delivered',
      text: `delivered  ${attemptNumber(delivery.attempts)}${delivery.status}${how}`,
      ...(delivery.requestId !== undefined && { requestId: delivery.requestId }),
    });
  }
  return news;
}

function newsOfAttempt(entry: Attempt): News {
  const { attempt, at, durationMs, requestId, envelope, wait, disposition } = entry;
  const answer = `${attemptNumber(attempt)}${answerOf(entry)}`;
  const base = { at: at + durationMs, ...(requestId !== undefined && { requestId }) };
  if (wait) return { ...base, kind: 'retry', text: `retry      ${answer}, again in ${explainWait(wait)}` };
  if (disposition === 'delivered') return { ...base, kind: 'delivered', text: `delivered  ${answer}` };
  const why = envelope?.message === undefined ? '' : `: ${printable(envelope.message, 80)}`;
  return { ...base, kind: 'dead', text: `dead       ${answer}${why}` };
}

const attemptNumber = (attempt: number): string => (attempt === 1 ? '' : `attempt ${attempt}: `);
