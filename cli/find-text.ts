// A found write as a person reads it: labelled fields, then one line per attempt.
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { explainWait } from '../core/back-off.ts';
import { fieldOf, printable } from '../core/envelope.ts';
import type { Attempt, Journal } from '../core/journal.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Found, FoundState } from '../queue/find.ts';
import { layOut } from './output.ts';
import { isoTime } from './reading.ts';

const VERDICTS: Record<Verdict, string> = {
  'applied-once': 'the API applied it, once',
  'not-applied': 'the API did not apply it',
  'in-doubt': 'the API may have applied it, and no answer has settled it',
};
const COLOURS: Partial<Record<FoundState, 'green' | 'red' | 'yellow'>> = {
  delivered: 'green',
  dead: 'red',
  retrying: 'yellow',
};
const MAX_TEXT = 300;

const text = (value: string): string => printable(value, MAX_TEXT);

/** Every text that may be the API's is made printable. @param stream decides on colour */
export function describeFound(found: Found, stream: Writable): string {
  const { state, letter, delivery, verdict, journal } = found;
  const settled = state === 'delivered' || state === 'dead';
  const colour = COLOURS[state];
  const fields: [string, string | undefined][] = [
    ['write', `${found.method ?? '(no write)'} ${text(found.path ?? '')}`],
    ['destination', found.destination],
    ['state', colour ? styleText(colour, state, { stream }) : state],
    ['verdict', `${verdict}${settled ? '' : ' so far'}: ${VERDICTS[verdict]}`],
    ['because', letter && `${letter.reason}: ${text(letter.because)}`],
    ['the API said', letter?.envelope?.message && text(letter.envelope.message)],
    ['field', letter && fieldOf(letter.envelope)],
    [
      'next attempt',
      found.nextAttemptAt === undefined
        ? undefined
        : `${isoTime(found.nextAttemptAt)} (${fromNow(found.nextAttemptAt)})`,
    ],
    ['key', found.idempotencyKey && text(found.idempotencyKey)],
    ['job', text(found.jobId)],
    ['dead letter', letter && text(letter.id)],
    ['enqueued', isoTime(found.enqueuedAt)],
    ['delivered', delivery && isoTime(delivery.deliveredAt)],
    ['died', letter && isoTime(letter.deadAt)],
    ['request_ids', found.requestIds.map(text).join(', ') || 'none yet'],
    ['postponed', postponements(journal)],
    ['unrecorded', starts(journal, letter?.lost ?? 0)],
  ];
  const rows = attempts(found);
  return (
    layOut(fields.flatMap(([label, value]) => (value ? [[label, value]] : []))) +
    (rows.length === 0
      ? 'no attempt yet\n'
      : layOut([['attempt', 'started', 'answer', 'took', 'request_id', 'then'], ...rows]))
  );
}

function attempts({ journal, delivery, state }: Found): string[][] {
  const rows = journal.attempts.map((entry) => [
    String(entry.attempt),
    isoTime(entry.at),
    answerOf(entry),
    `${Math.round(entry.durationMs)} ms`,
    text(entry.requestId ?? '-'),
    entry.wait ? `again in ${explainWait(entry.wait)}` : entry.disposition,
  ]);
  // The happy end is not in the journal: it costs no round trip there (DESIGN decision 7).
  if (state === 'delivered' && delivery && !journal.attempts.some(({ disposition }) => disposition === 'delivered')) {
    rows.push([
      String(delivery.attempts),
      isoTime(delivery.deliveredAt - Math.round(delivery.durationMs)),
      delivery.replayed ? `${delivery.status}, the stored answer` : String(delivery.status),
      `${Math.round(delivery.durationMs)} ms`,
      text(delivery.requestId ?? '-'),
      'delivered',
    ]);
  }
  return rows;
}

/** `503 SERVICE_UNAVAILABLE`, `no answer (ECONNRESET)`, `nothing was sent (ECONNREFUSED)`. */
function answerOf({ outcome, status, code, replayed }: Attempt): string {
  const said = text(code ?? '');
  const answers: Record<Attempt['outcome'], string> = {
    response: [String(status), said, replayed ? '(the stored answer)' : ''].filter(Boolean).join(' '),
    'no-answer': `no answer (${said})`,
    'not-sent': `nothing was sent (${said})`,
    blocked: `refused by us (${said || 'before sending'})`,
  };
  return answers[outcome];
}

function postponements({ postponed, lastPostponed }: Journal): string | undefined {
  if (postponed === 0) return undefined;
  const last =
    lastPostponed && `, last ${isoTime(lastPostponed.at)}: ${text(lastPostponed.because ?? answerOf(lastPostponed))}`;
  return `${postponed} time(s), spending no attempt${last ?? ''}`;
}

function starts(journal: Journal, since: number): string | undefined {
  const lost = journal.lost + since;
  return lost === 0 ? undefined : `${lost} start(s) whose worker died before it could say what happened`;
}

function fromNow(at: number): string {
  const seconds = (at - Date.now()) / 1000;
  return seconds > 0 ? `in ${seconds.toFixed(1)} s` : 'due';
}
