// A dead letter with all that a person needs to decide what becomes of it: why, what is known, the write itself, what
// was done so far, and what can be done now. Every text may be the API's.
import { fieldOf, printable } from '../core/envelope.ts';
import { evidenceInWords, verdictInWords } from '../core/evidence.ts';
import { parseKeepingDigits } from '../core/json.ts';
import type { ProbeRuling } from '../core/probe.ts';
import type { ReplayRuling } from '../core/replay.ts';
import type { FiledLetter } from '../queue/dead-letters.ts';
import { letterCode } from '../queue/letter-filter.ts';
import { refused } from '../queue/operate.ts';
import { probeRefused } from '../queue/probe.ts';
import { fromNow } from './age.ts';
import { attemptsTable, line, postponements, text, unrecorded } from './attempts-text.ts';
import { actInWords } from './letter-acts.ts';
import { layOut } from './output.ts';
import { isoTime } from './reading.ts';

const MAX_BODY_LINES = 200;
const MAX_BODY_LINE = 2000;

/** What the rules say to a replay under the same key and under a new one, and to a probe. */
export interface Rulings {
  sameKey: ReplayRuling;
  newKey: ReplayRuling;
  probe: ProbeRuling;
}

/** @param now epoch ms */
export function describeLetter(letter: FiledLetter, rulings: Rulings, now: number): string {
  const { envelope, verdict, journal, write, lost, acts, status, deadAt, enqueuedAt } = letter;
  const code = letterCode(letter);
  const fields: [string, string | undefined][] = [
    ['dead letter', letter.id],
    ['destination', letter.destination],
    ['state', letter.state],
    ['died', `${isoTime(deadAt)} (${fromNow(deadAt, now)})`],
    ['reason', letter.reason],
    ['because', text(letter.because)],
    ['status', status?.toString()],
    ['code', code && text(code)],
    ['the API said', envelope?.message && text(envelope.message)],
    ['field', fieldOf(envelope)],
    ['details', envelope?.details && text(envelope.details)],
    ['request_id', letter.requestId && text(letter.requestId)],
    ['verdict', `${verdict}: ${verdictInWords(verdict)}`],
    ['evidence', evidenceInWords(journal, lost)],
    ['key', write && text(write.idempotencyKey)],
    ["key's life", keyLife(letter, now)],
    ['job', text(letter.jobId)],
    ['generation', `${journal.generation}${journal.probe ? ', a probe' : ''}`],
    ['enqueued', `${isoTime(enqueuedAt)} (${fromNow(enqueuedAt, now)})`],
    [
      'expires',
      write?.expiresAt === undefined ? undefined : `${isoTime(write.expiresAt)} (${fromNow(write.expiresAt, now)})`,
    ],
    ['max attempts', write?.maxAttempts?.toString()],
    ['postponed', postponements(journal)],
    ['unrecorded', unrecorded(journal, lost)],
  ];
  const rows = attemptsTable(journal, undefined);
  const done = acts.map((act) => [text(actInWords(act))]);
  return [
    layOut(fields.flatMap(([label, value]) => (value ? [[label, line(value)]] : []))),
    section('attempts', rows.length > 0 ? layOut(rows, '  ') : '  none on record\n'),
    section('write', describeWrite(letter)),
    ...(done.length > 0 ? [section('done so far', layOut(done, '  '))] : []),
    section('what can be done', layOut(choices(letter, rulings), '  ')),
  ].join('\n');
}

const section = (title: string, body: string): string => `${title}\n${body}`;

function keyLife({ keyFirstSentAt, keyExpiresAt, lost }: FiledLetter, now: number): string {
  if (keyFirstSentAt === undefined && lost > 0) return 'it is not known since when the API has the key';
  if (keyFirstSentAt === undefined) return 'nothing can have reached the API: it has not seen the key';
  if (keyExpiresAt === undefined) return 'it is not known until when the API keeps the key';
  const at = `${isoTime(keyExpiresAt)} (${fromNow(keyExpiresAt, now)})`;
  return keyExpiresAt > now ? `the API keeps the key until ${at}` : `the API may have forgotten the key since ${at}`;
}

function describeWrite({ write, raw }: FiledLetter): string {
  if (!write) return `  what stood in the queue is no write: ${text(raw ?? '')}\n`;
  const headers = Object.entries(write.headers ?? {}).map(([name, value]) => `  ${line(name)}: ${line(value)}\n`);
  const body = write.body === undefined ? '' : `\n${prettyBody(write.body)}`;
  return `  ${line(`${write.method} ${write.path}`)}\n${headers.join('')}${body}`;
}

/** Indented, its numbers with the digits they have; a long one is cut, -o json has all of it. */
function prettyBody(body: string): string {
  let lines = [body];
  try {
    lines = JSON.stringify(parseKeepingDigits(body), null, 2).split('\n');
  } catch {
    // as it stands
  }
  const shown = lines.slice(0, MAX_BODY_LINES).map((one) => {
    const [, indent = '', rest = ''] = /^( *)(.*)$/s.exec(one) ?? [];
    return `  ${indent}${printable(rest, MAX_BODY_LINE)}\n`;
  });
  const left = lines.length - shown.length;
  return shown.join('') + (left > 0 ? `  … ${left} more line(s): -o json has all\n` : '');
}

function choices(letter: FiledLetter, { sameKey, newKey, probe }: Rulings): string[][] {
  const last = letter.acts.at(-1);
  if (letter.state === 'replayed') {
    const went = last?.newKey ? `under the key ${last.newKey.idempotencyKey}` : 'as its next generation';
    return [[line(`it went out again ${went}: waybill find ${last?.newKey?.jobId ?? letter.jobId}`)]];
  }
  if (letter.state === 'discarded') return [['restore', 'it is open again then']];
  const { id, verdict } = letter;
  return [
    ...(verdict === 'in-doubt' ? [['probe', sayProbe(id, probe)]] : []),
    ['replay', say(letter, sameKey, 'the key keeps it from being applied twice')],
    ['replay --new-key', say(letter, newKey, 'it was not applied, so that a new key cannot apply it twice')],
    ['discard', 'puts it aside; it can be restored until retention ends'],
  ].map((row) => row.map(line));
}

function say({ id }: FiledLetter, ruling: ReplayRuling, why: string): string {
  if (!ruling.allowed)
    return `refused (${ruling.refusal}): ${refused(id, ruling).message.replace(/^.*? was not replayed: /, '')}`;
  return `allowed: ${why}${ruling.advice === undefined ? '' : `; but ${ruling.advice}`}`;
}

function sayProbe(id: string, ruling: ProbeRuling): string {
  if (!ruling.allowed)
    return `refused (${ruling.refusal}): ${probeRefused(id, ruling).message.replace(/^.*? was not probed: /, '')}`;
  return `allowed: one attempt under its own key, whose answer settles the doubt${ruling.advice === undefined ? '' : `; but ${ruling.advice}`}`;
}
