// docs/reference/log-fields.md: the lines are the worker's own, taken from its log and from its source; what a field means
// stands here.
import { readdir, readFile } from 'node:fs/promises';
import type { Attempt } from '../../core/journal.ts';
import { createLog, logAttempt } from '../../worker/log.ts';
import { code, GENERATED, table } from './markdown.ts';

const WORKER = new URL('../../worker/', import.meta.url);

interface Field {
  /** What it can hold, with its unit. */
  value: string;
  meaning: string;
}

const FIELDS: Record<string, Field> = {
  level: { value: '30 info, 40 warn, 50 error', meaning: 'info: delivered; warn: will be tried again; error: dead' },
  time: { value: 'ISO time', meaning: 'when the line was written: the end of the attempt' },
  worker: {
    value: 'text',
    meaning: 'which worker: host name, process id and 4 random characters, or the name that it was given',
  },
  request_id: {
    value: 'text or null',
    meaning: "the API's own id of this request, for its support; null when no answer named one",
  },
  idempotency_key: {
    value: 'text or null',
    meaning: 'the key that was sent; null when what stood in the queue was no write',
  },
  destination: { value: 'text', meaning: 'its name in the configuration' },
  job_id: { value: 'text', meaning: "the write's job; `waybill find` takes it" },
  attempt: {
    value: 'number, from 1',
    meaning: 'which attempt; a postponed one bears the number that it did not spend',
  },
  status: { value: 'number or null', meaning: 'the HTTP status; null when there was no answer' },
  code: {
    value: 'text or null',
    meaning:
      "the API's error code, `HTTP_` and the status where it gave none, or the [connection error](errors.md#codes-of-an-attempt); null for a 2xx",
  },
  duration_ms: {
    value: 'ms',
    meaning: 'how long the attempt took, connecting included; 0 when Waybill itself did not let it be sent',
  },
  disposition: { value: '`delivered`, `retry`, `postpone` or `dead`', meaning: 'what is done about it' },
  because: { value: 'text', meaning: 'why, in words; not for a delivered one' },
  next_attempt_at: { value: 'ISO time', meaning: 'when it is due again; of `retry` and `postpone`' },
  reason: { value: 'see [errors](errors.md#why-a-write-is-dead)', meaning: 'why it is dead; of `dead`' },
  verdict: { value: '`applied-once`, `not-applied` or `in-doubt`', meaning: 'what is known of the write; of `dead`' },
  replayed: { value: 'true', meaning: 'the API marked its answer as the stored one of this key' },
  lost: { value: 'number', meaning: 'starts before this one that left no record: their worker died or lost its hold' },
  msg: { value: 'text', meaning: '`delivered`, `will be retried`, `postponed` or `dead`' },
};

/** Lines that are not about one attempt, by their message. */
const OTHERS: Record<string, { when: string; fields: string[] }> = {
  'worker started': { when: 'it takes writes from now on', fields: ['destinations', 'redis', 'health_port'] },
  'worker stopping': { when: 'it was asked to stop, and takes no more writes', fields: ['grace_ms'] },
  'worker stopped': { when: 'it is over; `forced` when attempts were cut off', fields: ['forced'] },
  'dead without an attempt': {
    when: 'the queue itself filed a dead letter: a corrupt job, or one that BullMQ failed',
    fields: ['destination', 'job_id', 'letter', 'reason', 'verdict', 'because'],
  },
  'queue error': {
    when: 'Redis is away or refuses, or a hold on a write was lost; at most 5 such lines a second and destination',
    fields: ['destination', 'err', 'held_back'],
  },
  'this clock differs from that of Redis: nothing is taken until it agrees': {
    when: "this machine's clock was set, or has crept more than a second away",
    fields: ['ahead_ms'],
  },
  'this clock agrees with that of Redis again': {
    when: 'it is within a second, and writes are taken again',
    fields: [],
  },
  'dead letters went by age or count, unhandled': {
    when: 'retention took open dead letters away',
    fields: ['destination', 'trimmed'],
  },
  'fetched nothing for too long; its consumer is started afresh': {
    when: '`health.fetchWithinMs` went by without a fetch',
    fields: ['destination', 'idle_ms'],
  },
  'every slot is taken by a write that should have ended; this worker needs a restart': {
    when: 'the worker is not live any more',
    fields: ['destination', 'idle_ms'],
  },
  'fetches again': { when: 'one of the two above is over', fields: ['destination'] },
  'Redis gave no answer on an open connection; it is opened anew': {
    when: 'the connection had died without a word',
    fields: [],
  },
  'no connection became free for a long time; the connection pool is replaced': {
    when: 'attempt after attempt waited in vain for a connection to the API',
    fields: ['destination'],
  },
};

const INTRODUCTION = `# Log fields

A worker writes one JSON object a line to standard output: one per attempt, and a few about itself. Fields that have nothing
to say are left out, but for the ones that may be null. No body, header, credential or message of the API is ever logged.

## One line per attempt`;

export async function logFieldsPage(): Promise<string> {
  const names = fieldsThatAreLogged();
  checkNames('field', names, Object.keys(FIELDS));
  const messages = await messagesInSource();
  checkNames('message', messages.keys(), Object.keys(OTHERS));
  return [
    GENERATED,
    INTRODUCTION,
    table(
      ['field', 'value', 'meaning'],
      names.map((name) => [code(name), FIELDS[name]?.value ?? '', FIELDS[name]?.meaning ?? '']),
    ),
    '## Other lines',
    table(
      ['level', 'message', 'when', 'fields'],
      [...messages].map(([message, level]) => [
        level,
        message,
        OTHERS[message]?.when ?? '',
        (OTHERS[message]?.fields ?? []).map(code).join(', '),
      ]),
    ),
    'At its start a worker also warns, in words, of what Redis does not keep, such as a missing append-only file.\n`err` holds `name`, `code` and `message` of an error, and nothing else.',
    '',
  ].join('\n\n');
}

/** Every field that a line can have: an attempt that has everything is logged, and read. */
function fieldsThatAreLogged(): string[] {
  const lines: string[] = [];
  const log = createLog('info', { worker: 'w' }, { write: (line) => void lines.push(line) });
  const entry: Required<Attempt> = {
    attempt: 2,
    at: 0,
    durationMs: 1,
    outcome: 'response',
    evidence: 'nothing',
    disposition: 'dead',
    status: 503,
    code: 'CODE',
    requestId: 'r',
    replayed: true,
    envelope: { code: 'CODE' },
    body: '',
    wait: { delayMs: 0, baseMs: 0, jitterMs: 0 },
    because: '',
    lost: 1,
    worker: 'w',
  };
  logAttempt(log, {
    destination: 'd',
    jobId: 'j',
    idempotencyKey: 'k',
    entry,
    nextAttemptAt: 0,
    reason: 'exhausted',
    verdict: 'in-doubt',
  });
  return Object.keys(JSON.parse(lines.join('')) as object);
}

const LINE = /\blog\.(info|warn|error)\(\s*(?:\w+|\{(?:[^{}]|\{[^{}]*\})*\}),\s*'([^']+)',?\s*\)/g;
const ONE_TEXT = /\blog\.(info|warn|error)\('([^']+)'\)/g;

/** @returns the level of each message that the worker's source logs, those of the attempts left out */
async function messagesInSource(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const file of (await readdir(WORKER)).toSorted()) {
    if (file === 'log.ts' || !file.endsWith('.ts')) continue;
    const source = await readFile(new URL(file, WORKER), 'utf8');
    for (const pattern of [LINE, ONE_TEXT]) {
      for (const [, level = '', message = ''] of source.matchAll(pattern)) found.set(message, level);
    }
  }
  return found;
}

function checkNames(what: string, inCode: Iterable<string>, described: readonly string[]): void {
  const names = new Set(inCode);
  const undescribed = [...names].filter((name) => !described.includes(name));
  const gone = described.filter((name) => !names.has(name));
  if (undescribed.length > 0)
    throw new Error(`docs/generator/log-fields.ts does not know the ${what}: ${undescribed.join(' · ')}`);
  if (gone.length > 0)
    throw new Error(`docs/generator/log-fields.ts has a ${what} that is logged no more: ${gone.join(' · ')}`);
}
