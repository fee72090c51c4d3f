// A found write as a person reads it: labelled fields, then one line per attempt.
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { explainWait } from '../core/back-off.ts';
import { fieldOf, printable } from '../core/envelope.ts';
import { answerOf } from '../core/journal-text.ts';
import type { Journal } from '../core/journal.ts';
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
const MAX_LINE = 10_000;

const text = (value: string): string => printable(value, MAX_TEXT);
/** Last of all, whatever field a text came in: what stands in Redis may be anybody's. */
const line = (value: string): string => printable(value, MAX_LINE);

/** No character of the write, its answers or its journal is obeyed by a terminal. @param stream decides on colour */
export function describeFound(found: Found, stream: Writable): string {
  const { state, letter, delivery, verdict, journal } = found;
  const settled = state === 'delivered' || state === 'dead';
  const colour = COLOURS[state];
  const fields: [string, string | undefined][] = [
    ['write', `${text(found.method ?? '(no write)')} ${text(found.path ?? '')}`],
    ['destination', found.destination],
    ['state', state],
    ['verdict', `${verdict}${settled ? '' : ' so far'}: ${VERDICTS[verdict] ?? 'no such verdict is known'}`],
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
    ['dead letter', letter ? text(letter.id) : state === 'dead' ? 'none that can be read' : undefined],
    ['enqueued', isoTime(found.enqueuedAt)],
    ['delivered', delivery && isoTime(delivery.deliveredAt)],
    ['died', letter && isoTime(letter.deadAt)],
    ['request_ids', found.requestIds.map(text).join(', ') || 'none yet'],
    ['postponed', postponements(journal)],
    ['unrecorded', starts(journal, letter?.lost ?? 0)],
  ];
  const shown = (label: string, value: string): string =>
    label === 'state' && colour ? styleText(colour, value, { stream }) : line(value);
  const rows = attempts(found).map((row) => row.map(line));
  return (
    layOut(fields.flatMap(([label, value]) => (value ? [[label, shown(label, value)]] : []))) +
    (rows.length === 0
      ? `no attempt ${journal.postponed > 0 ? 'that counts' : 'on record'} yet\n`
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

function postponements({ postponed, lastPostponed }: Journal): string | undefined {
  if (postponed === 0) return undefined;
  if (!lastPostponed) return `${postponed} time(s), spending no attempt`;
  const { at, because, wait } = lastPostponed;
  const last = `last ${isoTime(at)}: ${text(because ?? answerOf(lastPostponed))}`;
  const again = wait ? `, again in ${explainWait(wait)}` : '';
  return `${postponed} time(s), spending no attempt, ${last}${again}`;
}

function starts(journal: Journal, since: number): string | undefined {
  const lost = journal.lost + since;
  return lost === 0 ? undefined : `${lost} start(s) whose worker died before it could say what happened`;
}

function fromNow(at: number): string {
  const seconds = (at - Date.now()) / 1000;
  return seconds > 0 ? `in ${seconds.toFixed(1)} s` : 'due';
}
