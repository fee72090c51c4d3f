// One item of a bulk operation: the act upon its letter, and what came of it. The act's id is the item's, so that trying
// again does nothing twice, whoever tries and however late.
import { WaybillError } from '../../core/errors.ts';
import type { Act, Acting } from '../acts.ts';
import { lookAtLetter } from '../dead-letters.ts';
import { discard, replay, restore } from '../operate.ts';
import type { Reader } from '../reader.ts';
import { actIdOf, newKeyOf } from './keys.ts';
import type { Spec } from './operation.ts';
import { replayOptionsOf } from './plan.ts';
import type { Detail } from './read.ts';
import type { Result } from './results.ts';

export interface ItemOutcome {
  result: Result;
  detail: Detail;
}

const RESULT_OF: Partial<Record<WaybillError['code'], Result>> = {
  LETTER_HANDLED: 'handled',
  REPLAY_REFUSED: 'refused',
  IDEMPOTENCY_CONFLICT: 'refused',
  NOT_FOUND: 'missing',
};

/** @throws whatever is no answer about the letter: Redis is away, or an error of ours */
export async function actOnItem(reader: Reader, spec: Spec, index: number, letter: string): Promise<ItemOutcome> {
  const { id, by, reason, destination, act } = spec;
  const acting: Acting = { by, reason, operation: id, actId: actIdOf(id, index) };
  try {
    if (act === 'replay') {
      const options = replayOptionsOf(spec, newKeyOf(id, index));
      const { jobId, idempotencyKey, generation } = await replay(reader, destination, letter, acting, options);
      return { result: 'done', detail: { jobId, idempotencyKey, generation } };
    }
    const { jobId, at } = await (act === 'discard' ? discard : restore)(reader, destination, letter, acting);
    return { result: 'done', detail: { jobId, at } };
  } catch (error) {
    const result = error instanceof WaybillError ? RESULT_OF[error.code] : undefined;
    if (result === undefined) throw error;
    return (
      (await doneBefore(reader, destination, letter, acting)) ?? {
        result,
        detail: { message: (error as WaybillError).message },
      }
    );
  }
}

/** A runner was ended between the act and its record: what the rules say since is of no account. */
async function doneBefore(
  reader: Reader,
  destination: string,
  letterId: string,
  { actId }: Acting,
): Promise<ItemOutcome | undefined> {
  const letter = await lookAtLetter(reader, destination, letterId);
  const act: Act | undefined = letter?.acts.find(({ id }) => id === actId);
  if (!letter || !act) return undefined;
  const { jobId, newKey, generation, at } = act;
  const key = newKey?.idempotencyKey ?? letter.write?.idempotencyKey;
  return {
    result: 'done',
    detail: {
      at,
      jobId: newKey?.jobId ?? jobId,
      ...(act.act === 'replay' && key !== undefined && { idempotencyKey: key }),
      ...(generation !== undefined && { generation }),
    },
  };
}
