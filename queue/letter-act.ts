// What every act upon one dead letter has in common: the letter is looked at first, the act is one compare-and-set step,
// and whoever comes second is told who was first.
import { randomUUID } from 'node:crypto';
import { WaybillError } from '../core/errors.ts';
import { type Act, type Acting, checkOperator, letterState, parseActs } from './acts.ts';
import type { Acted } from './acting-backend.ts';
import type { WaybillBackend } from './backend.ts';
import { type FiledLetter, lookAtLetter, type UnreadableLetter } from './dead-letters.ts';
import type { Reader } from './reader.ts';

/** @throws WaybillError NOT_FOUND */
export async function letterToActOn(
  reader: Reader,
  destination: string,
  letterId: string,
): Promise<FiledLetter | UnreadableLetter> {
  const letter = await lookAtLetter(reader, destination, letterId);
  if (letter) return letter;
  throw new WaybillError('NOT_FOUND', `no dead letter ${JSON.stringify(letterId.slice(0, 80))} at ${destination}`);
}

export const backendOf = (reader: Reader, destination: string): WaybillBackend =>
  reader.queue(destination).getBackend() as unknown as WaybillBackend;

/**
 * What is written down of every act upon a letter.
 * @param now epoch ms
 * @throws WaybillError INVALID_WRITE for a bad `by` or `reason`
 */
export const actOn = (
  act: Act['act'],
  letterId: string,
  { jobId, verdict = 'in-doubt' }: Pick<Partial<FiledLetter>, 'verdict'> & Pick<FiledLetter, 'jobId'>,
  { actId, operation, ...operator }: Acting,
  now: number,
): Act => ({
  act,
  id: actId ?? randomUUID(),
  at: now,
  ...checkOperator(operator),
  letter: letterId,
  jobId,
  verdict,
  ...(operation !== undefined && { operation }),
});

/**
 * The error of a ruling that does not allow an act; without one, of a letter that holds no write.
 * @param whatToDo about each refusal
 */
export function refusedBy<Refusal extends string>(
  act: Act['act'],
  whatToDo: Record<Refusal | 'NOT_A_WRITE', string>,
  letterId: string,
  ruling?: { allowed: true } | { allowed: false; refusal: Refusal | 'NOT_A_WRITE'; because: string },
): WaybillError {
  const { refusal, because } =
    !ruling || ruling.allowed ? { refusal: 'NOT_A_WRITE' as const, because: 'what stands there is no write' } : ruling;
  const message = `dead letter ${letterId} was not ${DONE[act]}: ${because}. ${whatToDo[refusal]}`;
  return new WaybillError('REPLAY_REFUSED', message, { field: refusal });
}

/**
 * @returns the act as it was written down: one whose answer was lost and that was sent again was done before
 * @throws WaybillError unless it was done
 */
export function actDone({ status, acts: text }: Acted, act: Act): Act {
  const acts = parseActs(text);
  const done = acts.find(({ id }) => id === act.id) ?? (status === 'done' ? act : undefined);
  if (done) return done;
  const { letter, jobId, newKey } = act;
  switch (status as Exclude<typeof status, 'done'>) {
    case 'busy':
      throw new WaybillError(
        'REPLAY_REFUSED',
        `dead letter ${letter} was not ${DONE[act.act]}: its write ${jobId} has another life since: it was added again, or moved by hand. See \`waybill find ${jobId}\`; this letter can be discarded.`,
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

const DONE = { replay: 'replayed', probe: 'probed', discard: 'discarded', restore: 'restored' } as const;

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
