// Settling a doubt: a dead write that may have been applied is sent once more under its own key, at a person's word, and
// the answer says what became of it. A probe is a replay with one attempt, and stricter rules (core/probe.ts).
import { setTimeout } from 'node:timers/promises';
import type { WaybillError } from '../core/errors.ts';
import { admitProbe, type ProbeRefusal, type ProbeRuling } from '../core/probe.ts';
import { type Act, type Acting, checkOperator } from './acts.ts';
import { lookAtLetter } from './dead-letters.ts';
import { type Ending, endingOfDead, endingOfDelivered, readJob } from './ending.ts';
import { letterId as idOfLetter } from './keys.ts';
import { type DeadLetter, replayFactsOf } from './letter.ts';
import { actOn, letterToActOn, refusedBy } from './letter-act.ts';
import { letterCode } from './letter-filter.ts';
import type { Reader } from './reader.ts';
import { sendAgain } from './send-again.ts';
import { asTombstone } from './tombstone.ts';
import { isRefusal } from './unavailable.ts';

export interface Probed {
  destination: string;
  /** The dead letter that was probed. */
  letter: string;
  jobId: string;
  idempotencyKey: string;
  /** Of the write that goes out. */
  generation: number;
  /** What the operator should know. */
  advice?: string;
}

/** What the answer to a probe said. */
export interface ProbeAnswer {
  /**
   * `delivered`: it is applied, once, and its letter closed. `not-applied`, `in-doubt` (nothing was proved): it has a
   * dead letter of the next generation. `waiting`: no worker has settled it yet. `gone`: it has ended, and neither its
   * letter nor its delivery is kept any more.
   */
  says: 'delivered' | 'not-applied' | 'in-doubt' | 'waiting' | 'gone';
  status?: number;
  /** The envelope's code, or the connection error's. */
  code?: string;
  requestId?: string;
  /** The dead letter that it left behind. */
  letter?: string;
  /** Why that one is dead. */
  because?: string;
}

/**
 * Says whether a probe would be allowed, and changes nothing.
 * @param now epoch ms
 */
export const ruleOnProbe = (letter: DeadLetter, now: number): ProbeRuling => admitProbe(replayFactsOf(letter), now);

/**
 * Sends a write in doubt once more under its own key, as its next generation with one attempt.
 * @throws WaybillError NOT_FOUND · LETTER_HANDLED when somebody was first · REPLAY_REFUSED when there is no doubt that an
 *   answer could settle, when it could be applied twice, or when its job is not where it died · INVALID_WRITE for a bad
 *   `by` or `reason`
 */
export async function probe(reader: Reader, destination: string, letterId: string, operator: Acting): Promise<Probed> {
  checkOperator(operator);
  const now = await reader.now();
  const letter = await letterToActOn(reader, destination, letterId);
  if ('unreadable' in letter) throw probeRefused(letterId);
  const ruling = ruleOnProbe(letter, now);
  if (!ruling.allowed || !letter.write) throw probeRefused(letterId, ruling);
  const { write, jobId } = letter;
  const { journal, advice } = ruling;
  const act: Act = { ...actOn('probe', letterId, letter, operator, now), generation: journal.generation };
  const done = await sendAgain(reader, destination, { write, jobId, journal }, act);
  return {
    destination,
    letter: letterId,
    jobId,
    idempotencyKey: write.idempotencyKey,
    generation: done.generation ?? journal.generation,
    ...(advice !== undefined && { advice }),
  };
}

const WHAT_TO_DO: Record<ProbeRefusal, string> = {
  NOT_A_WRITE: 'Discard it.',
  NOT_IN_DOUBT: 'Replay it, or discard it.',
  DOUBT_FINAL: 'Ask the API whether it has the write, then discard the letter.',
  TOO_LATE: 'Ask the API whether it has the write, then discard the letter.',
  KEY_ENDING: 'Ask the API whether it has the write, then replay or discard it.',
  KEY_EXPIRED: 'Ask the API whether it has the write, then replay or discard it.',
};

/** The error of a ruling that does not allow a probe; without one, of a letter that holds no write. */
export const probeRefused = (letterId: string, ruling?: ProbeRuling): WaybillError =>
  refusedBy('probe', WHAT_TO_DO, letterId, ruling);

/** Between two looks: short at first, since most are answered at once. */
const FIRST_LOOK_MS = 20;
const LOOK_EVERY_MS = 500;

/**
 * Waits for what a probe is answered, by looking where its write stands. Each look has the time limit of the reader's
 * commands; one that fails is not the last, while there is time.
 * @param limitMs how long to wait; 0 looks once
 * @param signal ends the wait; it looks once more then
 * @throws what the driver throws where Redis refuses, or is still away at the end
 */
export async function waitForAnswer(
  reader: Reader,
  probed: Pick<Probed, 'destination' | 'jobId' | 'generation'>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<ProbeAnswer> {
  const until = performance.now() + limitMs;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS)) {
    const isLast = signal?.aborted === true || performance.now() >= until;
    const answer = await look(reader, probed).catch((error: unknown) => {
      if (isLast || isRefusal(error)) throw error;
    });
    if (answer) return answer;
    if (isLast) return { says: 'waiting' };
    const leftMs = Math.max(1, until - performance.now());
    await setTimeout(Math.min(pauseMs, leftMs), undefined, { signal }).catch(() => {});
  }
}

/** The probe's own dead letter tells, also where that was replayed since: what its answer proved stays true. */
async function look(
  reader: Reader,
  { destination, jobId, generation }: Pick<Probed, 'destination' | 'jobId' | 'generation'>,
): Promise<ProbeAnswer | undefined> {
  const id = idOfLetter(jobId, generation);
  // The job before the letter: one that has ended, or is gone, has left its letter by then.
  const job = await readJob(reader.client, destination, jobId);
  const letter = await lookAtLetter(reader, destination, id);
  if (letter && 'unreadable' in letter) return { says: 'in-doubt', letter: id, because: letter.unreadable };
  if (letter) {
    const says = letter.verdict === 'not-applied' ? 'not-applied' : 'in-doubt';
    const code = letterCode(letter);
    const ending = { ...endingOfDead(letter), ...(code !== undefined && { code }) };
    return { says, ...answerOf(ending), letter: letter.id, because: letter.because };
  }
  const end = asTombstone(job?.data);
  if (end?.settled === 'delivered')
    return { says: 'delivered', ...answerOf(endingOfDelivered(destination, jobId, end, job?.progress)) };
  return job && !end ? undefined : { says: 'gone' };
}

const answerOf = ({ status, code, requestId }: Ending): Pick<ProbeAnswer, 'status' | 'code' | 'requestId'> => ({
  ...(status !== undefined && { status }),
  ...(code !== undefined && { code }),
  ...(requestId !== undefined && { requestId }),
});
