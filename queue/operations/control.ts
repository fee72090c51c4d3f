// Pausing, resuming and cancelling a bulk operation: by a person, with a reason, written down first.
import { WaybillError } from '../../core/errors.ts';
import { checkOperator, type OperationAct, type Operator } from '../acts.ts';
import { auditKey } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { indexKeys, operationKeys } from './keys.ts';
import type { Operation, OperationState, Spec } from './operation.ts';
import { getOperation, noOperation, readStanding } from './read.ts';
import { CONTROL, run } from './scripts.ts';

/**
 * The item that is under way is finished; what was replayed goes on.
 * @throws WaybillError NOT_FOUND · OPERATION_REFUSED (`STATE`) when it is paused or has ended · INVALID_WRITE for a bad
 *   `by` or `reason`
 */
export const pauseOperation = (reader: Reader, destination: string, id: string, who: Operator): Promise<Operation> =>
  control(reader, destination, id, who, 'pause');

/** Goes on, whatever paused it; the share is judged anew by what is replayed from now on. @throws the same */
export const resumeOperation = (reader: Reader, destination: string, id: string, who: Operator): Promise<Operation> =>
  control(reader, destination, id, who, 'resume');

/** Ends it for good: what was done stays done. @throws the same */
export const cancelOperation = (reader: Reader, destination: string, id: string, who: Operator): Promise<Operation> =>
  control(reader, destination, id, who, 'cancel');

const PAST = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const;
const ALLOWED: Record<keyof typeof PAST, readonly OperationState[]> = {
  pause: ['preparing', 'running'],
  resume: ['paused'],
  cancel: ['preparing', 'running', 'paused'],
};

async function control(
  reader: Reader,
  destination: string,
  id: string,
  operator: Operator,
  verb: keyof typeof PAST,
): Promise<Operation> {
  const who = checkOperator(operator);
  const standing = await readStanding(reader, destination, id);
  if (!standing) throw noOperation(destination, id);
  const at = await reader.now();
  const entry = operationAct(standing.spec, `operation-${PAST[verb]}`, at, who, standing.counts.done);
  const keys = operationKeys(destination, id);
  const index = indexKeys(destination);
  const before = (await run(
    reader.client,
    CONTROL,
    [keys.operation, index.marks, index.live, keys.codes, auditKey(destination)],
    [id, verb, `paused by ${who.by}: ${who.reason}`, JSON.stringify(entry), at],
  )) as OperationState | 'gone';
  if (before === 'gone') throw noOperation(destination, id);
  if (!ALLOWED[verb].includes(before)) {
    throw new WaybillError('OPERATION_REFUSED', `operation ${id} was not ${PAST[verb]}: it is ${before}`, {
      field: 'STATE',
    });
  }
  return getOperation(reader, destination, id);
}

/** An entry of the audit stream. @param at epoch ms */
export function operationAct(
  spec: Spec,
  act: OperationAct['act'],
  at: number,
  who: Operator,
  count: number,
): OperationAct {
  const { id, act: verb, filter, acceptDouble } = spec;
  const asked = Object.entries(filter ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    act,
    at,
    by: who.by,
    reason: who.reason,
    operation: id,
    verb,
    count,
    ...(filter && { filter: new URLSearchParams(asked).toString() }),
    ...(acceptDouble && { doubleAccepted: true as const }),
  };
}
