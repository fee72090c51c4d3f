// What a person may do with a dead letter: replay, discard, restore. Each is one compare-and-set step in Redis that
// first writes down who acts and why. So of two people at one letter one wins, and the other is told who did.
import { randomUUID } from 'node:crypto';
import type { JobJson } from 'bullmq';
import { admitReplay, type ReplayRefusal, type ReplayRequest, type ReplayRuling } from '../core/replay.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../core/config-schema.ts';
import { WaybillError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { WriteEdit } from '../core/mask-write.ts';
import {
  bodyText,
  checkHeaders,
  checkIdempotencyKey,
  checkPath,
  jobIdOf,
  payloadHash,
  type Write,
} from '../core/write.ts';
import { type Act, type Acting, checkOperator, letterState, parseActs } from './acts.ts';
import type { Acted } from './acting-backend.ts';
import { generationOfLetter, letterId as idOfLetter } from './keys.ts';
import type { WaybillBackend } from './backend.ts';
import { type FiledLetter, lookAtLetter, type UnreadableLetter } from './dead-letters.ts';
import { type DeadLetter, replayFactsOf } from './letter.ts';
import { classOf } from './letter-class.ts';
import type { Reader } from './reader.ts';

export interface ReplayOptions {
  /** A key of the caller's, or true for a UUID v4; the dead write's own key when left out. */
  newKey?: string | true;
  /** Accepts that the write may be applied twice, where the rules would refuse for that. */
  acceptDouble?: boolean;
  /** Sends a write whose own expiry has passed; the expiry is dropped. */
  ignoreExpiry?: boolean;
  /** Sends another path, other headers or another body: always under a new key, and the letter keeps what it has. */
  edit?: WriteEdit;
}

export interface Replayed {
  destination: string;
  letter: string;
  /** Of the write that goes out: the dead one's own, or a new one under a new key. */
  jobId: string;
  idempotencyKey: string;
  generation: number;
  doubleAccepted: boolean;
  /** What the operator should know. */
  advice?: string;
}

/**
 * Says whether a replay would be allowed, and changes nothing.
 * @param now epoch ms
 */
export function ruleOnReplay(letter: DeadLetter, options: ReplayOptions, now: number): ReplayRuling {
  const request: ReplayRequest = {
    key: newKeyOf(options) === undefined ? 'same' : 'new',
    acceptDouble: options.acceptDouble === true,
    ignoreExpiry: options.ignoreExpiry === true,
  };
  return admitReplay(replayFactsOf(letter), request, now);
}

/**
 * Sends a dead write again: under its own key as its next generation, or under a new key as a new write, which may be
 * an edited one.
 * @throws WaybillError NOT_FOUND · LETTER_HANDLED when somebody was first · REPLAY_REFUSED when it could be applied twice,
 *   cannot be sent, or its job is not where it died · IDEMPOTENCY_CONFLICT when the new key is in use · INVALID_WRITE for
 *   a bad key, `by` or `reason`, or an edit that add() would refuse
 */
export async function replay(
  reader: Reader,
  destination: string,
  letterId: string,
  operator: Acting,
  options: ReplayOptions = {},
): Promise<Replayed> {
  const who = checkOperator(operator);
  const now = await reader.now();
  const letter = await letterToActOn(reader, destination, letterId);
  if ('unreadable' in letter) throw refused(letterId);
  const ruling = ruleOnReplay(letter, options, now);
  if (!ruling.allowed || !letter.write) throw refused(letterId, ruling);
  const write = writeToSend(letter.write, options);
  const isNew = newKeyOf(options) !== undefined;
  const jobId = isNew ? jobIdOf(write.idempotencyKey) : letter.jobId;
  if (isNew && write.idempotencyKey === letter.write.idempotencyKey) {
    throw new WaybillError('INVALID_WRITE', 'newKey: is the key that the write has already', { field: 'newKey' });
  }
  const act: Act = {
    act: 'replay',
    id: operator.actId ?? randomUUID(),
    at: now,
    ...who,
    letter: letterId,
    jobId: letter.jobId,
    verdict: letter.verdict,
    generation: ruling.journal.generation,
    ...(isNew && { newKey: { idempotencyKey: write.idempotencyKey, jobId } }),
    ...(payloadHash(write) !== payloadHash(letter.write) && { edited: true as const }),
    ...(ruling.doubleAccepted && { doubleAccepted: true as const }),
    ...asPartOf(operator),
  };
  const job = jobOf(jobId, write, await priorityOf(reader, destination, letter.jobId), now);
  const answer = await backendOf(reader, destination).replay(job, {
    letterId,
    nextLetterId: idOfLetter(letter.jobId, (generationOfLetter(letterId) ?? 0) + 1),
    sourceId: letter.jobId,
    payloadHash: payloadHash(write),
    journal: JSON.stringify(ruling.journal),
    act: JSON.stringify(act),
    now,
  });
  // Tried again, it is the first try that was done, with the key that was made then.
  const done = actDone(answer, act);
  return {
    destination,
    letter: letterId,
    jobId: done.newKey?.jobId ?? done.jobId,
    idempotencyKey: done.newKey?.idempotencyKey ?? letter.write.idempotencyKey,
    generation: done.generation ?? ruling.journal.generation,
    doubleAccepted: done.doubleAccepted === true,
    ...(ruling.advice !== undefined && { advice: ruling.advice }),
  };
}

/**
 * Puts a dead letter aside: nobody has to look at it again. It is kept until retention ends, and can be restored.
 * @throws WaybillError NOT_FOUND · LETTER_HANDLED when somebody was first · INVALID_WRITE for a bad `by` or `reason`
 */
export async function discard(reader: Reader, destination: string, letterId: string, operator: Acting): Promise<Act> {
  const act = await prepare(reader, destination, letterId, operator, 'discard');
  const words = `discarded by ${act.by}: ${act.reason}`;
  return actDone(await backendOf(reader, destination).discard(letterId, JSON.stringify(act), act.at, words), act);
}

/**
 * Takes a discarded dead letter back.
 * @throws WaybillError NOT_FOUND · LETTER_HANDLED when it is not discarded · INVALID_WRITE for a bad `by` or `reason`
 */
export async function restore(reader: Reader, destination: string, letterId: string, operator: Acting): Promise<Act> {
  const act = await prepare(reader, destination, letterId, operator, 'restore');
  const into = classOf(await letterToActOn(reader, destination, letterId));
  return actDone(await backendOf(reader, destination).restore(letterId, JSON.stringify(act), act.at, into), act);
}

async function prepare(
  reader: Reader,
  destination: string,
  letterId: string,
  operator: Acting,
  kind: 'discard' | 'restore',
): Promise<Act> {
  const who = checkOperator(operator);
  const { jobId, verdict = 'in-doubt' } = await letterToActOn(reader, destination, letterId);
  const id = operator.actId ?? randomUUID();
  const at = await reader.now();
  return { act: kind, id, at, ...who, letter: letterId, jobId, verdict, ...asPartOf(operator) };
}

const asPartOf = ({ operation }: Acting): Pick<Act, 'operation'> => (operation === undefined ? {} : { operation });

async function letterToActOn(
  reader: Reader,
  destination: string,
  letterId: string,
): Promise<FiledLetter | UnreadableLetter> {
  const letter = await lookAtLetter(reader, destination, letterId);
  if (letter) return letter;
  throw new WaybillError('NOT_FOUND', `no dead letter ${JSON.stringify(letterId.slice(0, 80))} at ${destination}`);
}

/** A generation of its own has the attempts that the write has, and no expiry that was overruled. */
function writeToSend(write: Write, options: ReplayOptions): Write {
  const { ignoreExpiry, edit } = options;
  const newKey = newKeyOf(options);
  const { expiresAt, ...rest } = write;
  return {
    ...(edit ? edited(rest, edit) : rest),
    ...(newKey !== undefined && {
      idempotencyKey: newKey === true ? randomUUID() : checkIdempotencyKey(newKey, 'newKey'),
    }),
    ...(expiresAt !== undefined && ignoreExpiry !== true && { expiresAt }),
  };
}

/** An edited write is another write to the API: under its old key it would be a conflict, or the old write again. */
const newKeyOf = ({ newKey, edit }: ReplayOptions): string | true | undefined => newKey ?? (edit ? true : undefined);

/** Judged as a producer's write is. @throws WaybillError INVALID_WRITE naming the field */
function edited<W extends Pick<Write, 'path' | 'headers' | 'body'>>(write: W, { path, headers, body }: WriteEdit): W {
  const { headers: before, ...rest } = write;
  const now = headers === undefined ? before : checkHeaders(headers);
  return {
    ...rest,
    ...(path !== undefined && { path: checkPath(path) }),
    ...(now && { headers: now }),
    ...(body !== undefined && { body: bodyText(body) }),
  } as W;
}

/** What BullMQ's own add() would be given for the write. Its wait begins anew: `now` in epoch ms. */
function jobOf(jobId: string, write: Write, priority: number, now: number): JobJson {
  return {
    id: jobId,
    name: 'send',
    data: JSON.stringify(write),
    opts: {
      attempts: write.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      backoff: { type: 'custom' },
      ...(priority > 0 && { priority }),
      jobId,
    },
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    timestamp: now,
  } as JobJson;
}

/** What the write was added with; the tombstone keeps it. */
async function priorityOf(reader: Reader, destination: string, jobId: string): Promise<number> {
  const text = await reader.client.hget(reader.queue(destination).toKey(jobId), 'opts');
  try {
    const opts: unknown = JSON.parse(text ?? '{}');
    return isRecord(opts) && Number.isInteger(opts.priority) ? Math.max(0, opts.priority as number) : 0;
  } catch {
    return 0;
  }
}

const backendOf = (reader: Reader, destination: string): WaybillBackend =>
  reader.queue(destination).getBackend() as unknown as WaybillBackend;

/**
 * @returns the act as it was written down: one whose answer was lost and that was sent again was done before
 * @throws WaybillError unless it was done
 */
function actDone({ status, acts: text }: Acted, act: Act): Act {
  const acts = parseActs(text);
  const done = acts.find(({ id }) => id === act.id) ?? (status === 'done' ? act : undefined);
  if (done) return done;
  const { letter, jobId, newKey } = act;
  switch (status as Exclude<typeof status, 'done'>) {
    case 'busy':
      throw new WaybillError(
        'REPLAY_REFUSED',
        `dead letter ${letter} was not replayed: its write ${jobId} has another life since: it was added again, or moved by hand. See \`waybill find ${jobId}\`; this letter can be discarded.`,
        { field: 'BUSY' },
      );
    case 'exists':
      throw new WaybillError(
        'IDEMPOTENCY_CONFLICT',
        `idempotency key ${JSON.stringify(newKey?.idempotencyKey)} stands for another write already; nothing was enqueued. Give another.`,
        { field: 'newKey' },
      );
    case 'handled':
      throw handled(act, acts);
  }
}

const DONE = { replay: 'replayed', discard: 'discarded', restore: 'restored' } as const;

function handled({ act, letter }: Act, acts: readonly Act[]): WaybillError {
  const last = acts.at(-1);
  if (!last) {
    const why = act === 'restore' ? 'it is not discarded' : 'it stands in no list of open dead letters';
    return new WaybillError('LETTER_HANDLED', `dead letter ${letter} was not ${DONE[act]}: ${why}`);
  }
  const state = act === 'restore' && letterState(acts) === 'open' ? 'is not discarded; it was' : 'was already';
  return new WaybillError(
    'LETTER_HANDLED',
    `dead letter ${letter} ${state} ${DONE[last.act]} by ${last.by} at ${new Date(last.at).toISOString()}: ${last.reason}`,
  );
}

const WHAT_TO_DO: Record<ReplayRefusal, string> = {
  NOT_A_WRITE: 'Discard it.',
  TOO_LATE: 'Ignore the expiry (--ignore-expiry) to send it all the same, or discard it.',
  KEY_ENDING: 'Wait until then, or take a new key (--new-key).',
  KEY_EXPIRED: 'Ask the API whether it has the write; accept a double application (--accept-double), or discard it.',
  IN_DOUBT:
    'Replay it under its own key, which cannot apply it twice; or accept a double application (--accept-double).',
  APPLIED: 'Discard it; or accept a double application (--accept-double).',
};

/** The error of a ruling that does not allow a replay; without one, of a letter that holds no write. */
export function refused(letterId: string, ruling?: ReplayRuling): WaybillError {
  const { refusal, because } =
    !ruling || ruling.allowed ? { refusal: 'NOT_A_WRITE' as const, because: 'what stands there is no write' } : ruling;
  return new WaybillError(
    'REPLAY_REFUSED',
    `dead letter ${letterId} was not replayed: ${because}. ${WHAT_TO_DO[refusal]}`,
    { field: refusal },
  );
}
