// A found write as a person reads it: labelled fields, its earlier generations, then one line per attempt.
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { fieldOf } from '../core/envelope.ts';
import { verdictInWords } from '../core/evidence.ts';
import type { FiledLetter } from '../queue/dead-letters.ts';
import type { Found, FoundState } from '../queue/find.ts';
import { fromNow } from './age.ts';
import { attemptsTable, line, postponements, text, unrecorded } from './attempts-text.ts';
import { actInWords } from './letter-acts.ts';
import { layOut } from './output.ts';
import { isoTime } from './reading.ts';

const COLOURS: Partial<Record<FoundState, 'green' | 'red' | 'yellow'>> = {
  delivered: 'green',
  dead: 'red',
  retrying: 'yellow',
};
const SETTLED: readonly FoundState[] = ['delivered', 'dead', 'discarded', 'replaced'];

/** No character of the write, its answers or its journal is obeyed by a terminal. @param stream decides on colour */
export function describeFound(found: Found, stream: Writable, now = Date.now()): string {
  const { state, letter, delivery, verdict, journal, nextAttemptAt, replacedBy, origin, lineage } = found;
  const settled = SETTLED.includes(state);
  const colour = COLOURS[state];
  const acts = letter?.acts ?? [];
  const fields: [string, string | undefined][] = [
    ['write', `${text(found.method ?? '(no write)')} ${text(found.path ?? '')}`],
    ['destination', found.destination],
    ['state', state],
    ['verdict', `${verdict}${settled ? '' : ' so far'}: ${verdictInWords(verdict)}`],
    ['because', letter && `${letter.reason}: ${text(letter.because)}`],
    ['the API said', letter?.envelope?.message && text(letter.envelope.message)],
    ['field', letter && fieldOf(letter.envelope)],
    [
      'next attempt',
      nextAttemptAt === undefined ? undefined : `${isoTime(nextAttemptAt)} (${untilThen(nextAttemptAt, now)})`,
    ],
    ['key', found.idempotencyKey && text(found.idempotencyKey)],
    ['job', text(found.jobId)],
    ['dead letter', letter ? text(letter.id) : state === 'dead' ? 'none that can be read' : undefined],
    ['enqueued', isoTime(found.enqueuedAt)],
    ['delivered', delivery && isoTime(delivery.deliveredAt)],
    ['died', letter && isoTime(letter.deadAt)],
    ...acts.map((act): [string, string] => ['then', text(actInWords(act))]),
    ['replaced by', replacedBy && `key ${text(replacedBy.idempotencyKey)} (job ${text(replacedBy.jobId)})`],
    ['replayed from', origin && `dead letter ${text(origin)}, of another key`],
    ...lineage.map((earlier): [string, string] => [`generation ${earlier.journal.generation}`, lifeOf(earlier)]),
    ['generation', journal.generation > 0 ? `${journal.generation}${journal.probe ? ', a probe' : ''}` : undefined],
    ['request_ids', found.requestIds.map(text).join(', ') || 'none yet'],
    ['postponed', postponements(journal)],
    ['unrecorded', unrecorded(journal, letter?.lost ?? delivery?.lost ?? 0)],
  ];
  const shown = (label: string, value: string): string =>
    label === 'state' && colour ? styleText(colour, value, { stream }) : line(value);
  const rows = attemptsTable(journal, state === 'delivered' ? delivery : undefined);
  return (
    layOut(fields.flatMap(([label, value]) => (value ? [[line(label), shown(label, value)]] : []))) +
    (rows.length === 0 ? `no attempt ${journal.postponed > 0 ? 'that counts' : 'on record'} yet\n` : layOut(rows))
  );
}

/** `died …: rejected, HTTP 400 is not retried, not-applied; replayed by ann at …: the template is fixed`. */
function lifeOf({ deadAt, reason, because, verdict, acts }: FiledLetter): string {
  const died = `died ${isoTime(deadAt)}: ${text(reason)}, ${text(because)}, ${text(verdict)}`;
  return [died, ...acts.map((act) => text(actInWords(act)))].join('; ');
}

/** To the tenth: an attempt is seconds away. */
function untilThen(at: number, now: number): string {
  if (at <= now) return 'due';
  return at - now < 120_000 ? `in ${((at - now) / 1000).toFixed(1)} s` : fromNow(at, now);
}
