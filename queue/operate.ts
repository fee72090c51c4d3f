// What a person may do with a dead letter: replay, discard, restore. Each is one compare-and-set step in Redis that
// first writes down who acts and why. So of two people at one letter one wins, and the other is told who did.
import { randomUUID } from 'node:crypto';
import { admitReplay, type ReplayRefusal, type ReplayRequest, type ReplayRuling } from '../core/replay.ts';
import { WaybillError } from '../core/errors.ts';
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
import { type Act, type Acting, checkOperator } from './acts.ts';
import { type DeadLetter, replayFactsOf } from './letter.ts';
import { actDone, actOn, backendOf, letterToActOn, refusedBy } from './letter-act.ts';
import { classOf } from './letter-class.ts';
import type { Reader } from './reader.ts';
import { sendAgain } from './send-again.ts';

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
  checkOperator(operator);
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
    ...actOn('replay', letterId, letter, operator, now),
    generation: ruling.journal.generation,
    ...(isNew && { newKey: { idempotencyKey: write.idempotencyKey, jobId } }),
    ...(payloadHash(write) !== payloadHash(letter.write) && { edited: true as const }),
    ...(ruling.doubleAccepted && { doubleAccepted: true as const }),
  };
  // Tried again, it is the first try that was done, with the key that was made then.
  const done = await sendAgain(reader, destination, { write, jobId, journal: ruling.journal }, act);
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
  checkOperator(operator);
  const letter = await letterToActOn(reader, destination, letterId);
  return actOn(kind, letterId, letter, operator, await reader.now());
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

const WHAT_TO_DO: Record<ReplayRefusal, string> = {
  NOT_A_WRITE: 'Discard it.',
  TOO_LATE: 'Ignore the expiry (--ignore-expiry) to send it all the same, or discard it.',
  KEY_ENDING: 'Take a new key (--new-key); where a time is told, the same key is free again then.',
  KEY_EXPIRED: 'Ask the API whether it has the write; accept a double application (--accept-double), or discard it.',
  IN_DOUBT:
    'Replay it under its own key, which cannot apply it twice; or accept a double application (--accept-double).',
  APPLIED: 'Discard it; or accept a double application (--accept-double).',
};

/** The error of a ruling that does not allow a replay; without one, of a letter that holds no write. */
export const refused = (letterId: string, ruling?: ReplayRuling): WaybillError =>
  refusedBy('replay', WHAT_TO_DO, letterId, ruling);
