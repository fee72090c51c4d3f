// docs/reference/errors.md: the codes and their meanings stand in core/errors.ts; what to do about each stands here.
import { readFile } from 'node:fs/promises';
import { CliError, explainError } from '../../cli/exit-codes.ts';
import type { DeadReason } from '../../core/decide.ts';
import { WaybillError, type WaybillErrorCode } from '../../core/errors.ts';
import { classOf, type ErrorClass } from '../../core/outcome.ts';
import type { ProbeRefusal } from '../../core/probe.ts';
import type { ReplayRefusal } from '../../core/replay.ts';
import { DemoError } from '../../dev/demo/errors.ts';
import { PrivateRedisError } from '../../dev/redis/errors.ts';
import { code, GENERATED, sentence, table } from './markdown.ts';

const WHAT_TO_DO: Record<WaybillErrorCode, string> = {
  INVALID_WRITE: 'Mend what `field` names, and add it again. Adding the same once more changes nothing.',
  IDEMPOTENCY_CONFLICT:
    'A new write needs a new key. If it is the same write, its body or path has changed since: look it up with `waybill find`.',
  QUEUE_UNAVAILABLE:
    'Add again with the same key, after a moment: the write is there once, whatever became of the first try.',
  QUEUE_REFUSED:
    'Read what Redis said: give it memory, point to its primary, or give the user its permissions ([Redis](../redis.md)).',
  NOT_REPLICATED:
    'Add again with the same key, after a moment: a duplicate is answered only when the replicas have it too. `waybill doctor` tells how many replicas there are ([Redis](../redis.md#waiting-for-replicas)).',
  INVALID_CONFIG: 'Mend every value that the message lists ([configuration](configuration.md)).',
  REDIS_UNFIT: 'Do what the message says; `waybill doctor` tells the rest ([Redis](../redis.md)).',
  LETTER_EXISTS: 'Nothing: the worker files the letter under the next generation.',
  LETTER_HANDLED: 'Nothing, if what was done is what you meant. `waybill dead-letters show` tells who did it and why.',
  REPLAY_REFUSED:
    '`field` says which rule, `message` whether it was a replay or a probe; see [below](#why-a-replay-or-a-probe-was-refused).',
  MASK_MISPLACED:
    'Leave a mask as it was shown and where it was shown, or put a value in its place. In a new place the value itself has to stand.',
  NOT_CONFIRMED: 'Ask for the plan again, look at its count, and type what it wants.',
  OPERATION_REFUSED: '`field` says why: `EMPTY`, `TOO_MANY` or `STATE`.',
  WAIT_TIMEOUT: 'Wait for it again, or look later: the write goes on.',
  NOT_FOUND:
    'Look at the id and the destination. Delivered writes and dead letters are kept for a time only (`retention`).',
};

const REFUSALS: Record<ReplayRefusal | ProbeRefusal | 'BUSY', [when: string, what: string]> = {
  NOT_A_WRITE: ['what stood in the queue was no write', 'Discard it.'],
  TOO_LATE: ["the write's own expiry has passed", '`--ignore-expiry` sends it all the same; or discard it.'],
  KEY_ENDING: [
    'the API is about to forget its key, or it is not known when it does: an attempt may no longer start with it, nor may the key begin another life',
    'Of a replay: `--new-key`, or wait until the time that the message tells. Of a probe: ask the API whether it has the write.',
  ],
  KEY_EXPIRED: [
    'it may have been applied, or was, and the API may have forgotten its key, or it is not known since when it has it',
    'Ask the API whether it has the write; then discard it, or `--accept-double`.',
  ],
  NOT_IN_DOUBT: ['a probe: there is no doubt to settle', 'Replay it, or discard it.'],
  DOUBT_FINAL: [
    'a probe: an operator accepted before that it may be applied twice, and no answer settles that',
    'Ask the API whether it has the write; then discard it.',
  ],
  IN_DOUBT: [
    'it may have been applied, and a new key was asked for',
    'Replay it under its own key, which can settle the doubt; or `--accept-double`.',
  ],
  APPLIED: ['it was applied, and a new key was asked for', 'Discard it; or `--accept-double`.'],
  BUSY: [
    "the write's job is not where it died: its key was added again, or somebody moved it by hand",
    'Look it up with `waybill find`.',
  ],
};

const REASONS: Record<DeadReason, string> = {
  rejected: 'the API refused it, and would again: a 4xx but 429, a 3xx, or a stored 5xx',
  exhausted: 'its attempts are spent; or it was postponed for the whole life of a key',
  crashed: 'more workers died in the middle of it than `worker.maxCrashes` allows',
  'too-late': 'its own expiry (`expiresAt`) passed before it could be sent',
  'key-expired': 'another attempt could have met an API that has forgotten the key, and have been applied twice',
  invalid: 'it cannot be sent: what stood in the queue is no write, or the destination cannot send it',
};

const withCode = (name: string): Error & { code: string } => Object.assign(new Error(), { code: name });

const OF_THE_COMMAND_LINE: [Error & { code: string }, meaning: string][] = [
  [new CliError('USAGE', ''), 'flags or arguments that do not go together; the message says which'],
  [new CliError('FAILED', ''), 'the command could not do its work; the message says why'],
  [new CliError('CANCELLED', ''), 'a question was left with Ctrl-C; nothing was done'],
  [
    withCode('AMBIGUOUS'),
    'the id names dead letters of several destinations, or of several writes; the message says how to tell them apart',
  ],
  [withCode('NO_MATCH'), 'the dead letter that is named does not match the flags beside it'],
  [new DemoError(''), '`waybill dev` cannot begin, or cannot go on'],
  [new PrivateRedisError('REDIS_SERVER_MISSING', ''), '`waybill dev` found no Redis; the message says what to install'],
  [
    new PrivateRedisError('REDIS_START_FAILED', ''),
    'there is one, but it does not start; the message ends with its own words',
  ],
  [new PrivateRedisError('REDIS_FOLDER_BUSY', ''), 'another process holds its data folder and does not answer'],
  [withCode('UNEXPECTED'), 'none of these: a fault of Waybill. `WAYBILL_DEBUG=1` shows where'],
];

/** A `…` stands for any ending. */
const ATTEMPT_CODES =
  'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT WAYBILL_DEADLINE_QUEUED CERT_… UNABLE_TO_… ERR_SSL_… DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN ERR_TLS_CERT_ALTNAME_INVALID EPROTO EMFILE ENFILE ENOBUFS ENOMEM WAYBILL_SHUTDOWN UND_ERR_DESTROYED UND_ERR_CLOSED ECONNRESET EPIPE UND_ERR_SOCKET WAYBILL_DEADLINE HPE_… WAYBILL_INTERNAL UND_ERR_INVALID_ARG ERR_INVALID_URL ERR_INVALID_CHAR';

const CLASSES: Record<ErrorClass, [kind: string, means: string]> = {
  'not-sent': ['nothing was sent', 'tried again; leaves no doubt'],
  tls: ['TLS failed, nothing was sent', 'tried again, in case somebody mends it meanwhile; leaves no doubt'],
  local: ["our own machine's trouble, nothing was sent", 'postponed by a second; no attempt is spent'],
  shutdown: ['the worker was stopped', 'taken again at once; no attempt is spent'],
  'no-answer': ['no answer; so is every code that is not listed here', 'tried again; it may have been applied'],
  unsendable: ['the request itself cannot be sent', 'dead as `invalid`'],
};

const INTRODUCTION = `# Errors

Every error that Waybill throws on purpose is a \`WaybillError\` with a stable \`code\` to branch on and a \`message\` for people; \`field\`
names the part at fault where there is one. The command line prints \`waybill: CODE: message\` and ends with the exit code beside it.`;

export async function errorsPage(): Promise<string> {
  const meanings = await meaningsInSource();
  const rows = Object.entries(WHAT_TO_DO).map(([name, what]) => {
    const meaning = meanings.get(name);
    if (meaning === undefined) throw new Error(`core/errors.ts says nothing about ${name}`);
    const { exit } = explainError(new WaybillError(name as WaybillErrorCode, ''));
    return [code(name), String(exit), sentence(meaning), what];
  });
  return [
    GENERATED,
    INTRODUCTION,
    table(['code', 'exit code', 'meaning', 'what to do'], rows),
    '## Why a replay or a probe was refused',
    table(
      ['`field` of REPLAY_REFUSED', 'when', 'what to do'],
      Object.entries(REFUSALS).map(([name, [when, what]]) => [code(name), when, what]),
    ),
    'More: [review](../guide/review.md).',
    '## Of the command line alone',
    table(
      ['code', 'exit code', 'meaning'],
      OF_THE_COMMAND_LINE.map(([error, meaning]) => [code(error.code), String(explainError(error).exit), meaning]),
    ),
    '## Why a write is dead',
    table(
      ['reason', 'when'],
      Object.entries(REASONS).map(([name, when]) => [code(name), when]),
    ),
    '## Codes of an attempt',
    "In the journal, the log and the metrics, `code` is the API's own where it answered with one, and `HTTP_` and the status where it did not. Without an answer it says what became of the connection:",
    table(
      ['kind', 'codes', 'what becomes of the write'],
      Object.entries(CLASSES).map(([name, [kind, means]]) => [kind, codesOf(name as ErrorClass), means]),
    ),
    '`WAYBILL_DEADLINE`: the attempt reached its time limit. `WAYBILL_DEADLINE_QUEUED`: it did while it waited for a connection. `WAYBILL_INTERNAL`: our own code broke in the middle of the attempt.',
    '',
  ].join('\n\n');
}

const codesOf = (name: ErrorClass): string =>
  ATTEMPT_CODES.split(' ')
    .filter((one) => classOf(one.replace('…', 'X')) === name)
    .map(code)
    .join(', ');

/** The comment behind each code of the union. */
async function meaningsInSource(): Promise<Map<string, string>> {
  const source = await readFile(new URL('../../core/errors.ts', import.meta.url), 'utf8');
  const lines = source.matchAll(/^ {2}\| '([A-Z_]+)';? \/\/ (.+)$/gm);
  return new Map(Array.from(lines, ([, name = '', meaning = '']) => [name, meaning]));
}
