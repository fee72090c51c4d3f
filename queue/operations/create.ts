// Creating a bulk operation: what a person must have typed is asked for, the filter is frozen, and who, why and what are
// written down before anything is done. A runner does the rest.
import { randomUUID } from 'node:crypto';
import {
  DEFAULT_RATE,
  DEFAULT_STOP_SHARE,
  MAX_LOOKED_INTO,
  MAX_NAMED,
  MAX_OPERATION_ITEMS,
  MAX_RATE,
  MIN_RATE,
} from '../../core/bulk.ts';
import { WaybillError } from '../../core/errors.ts';
import { checkOperator } from '../acts.ts';
import { auditKey } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { operationAct } from './control.ts';
import { indexKeys, operationKeys } from './keys.ts';
import { checkOptions, countMeant, frozen, namedIn } from './meant.ts';
import type { CreateRequest, Operation, Spec } from './operation.ts';
import { confirmationOf } from './plan.ts';
import { getOperation, readStanding, readStandings } from './read.ts';
import { CREATE, run } from './scripts.ts';

/** Operations of a destination that have not ended. */
const MAX_UNFINISHED = 50;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * @throws WaybillError NOT_CONFIRMED (`confirm.count`, `confirm.phrase`) · OPERATION_REFUSED (`EMPTY`, `TOO_MANY`, `EXISTS`) ·
 *   INVALID_WRITE naming the field · NOT_FOUND for a destination that was never used · the reason of a signal that ends it;
 *   nothing was created then
 */
export async function createOperation(
  reader: Reader,
  request: CreateRequest,
  signal?: AbortSignal,
): Promise<Operation> {
  const who = checkOperator(request);
  const { rate = DEFAULT_RATE, steps = 'all', stopShare = DEFAULT_STOP_SHARE, act, destination, target } = request;
  checkOptions(request);
  checkNumber('rate', rate, MIN_RATE, MAX_RATE);
  checkNumber('stopShare', stopShare, 0, 1);
  if (steps === 'canary' && act !== 'replay') throw invalid('steps', 'canary steps are those of a replay');
  await reader.destinations(destination);
  const { id = randomUUID() } = request;
  if (!UUID.test(id)) throw invalid('id', 'must be a UUID');
  const before = await readStanding(reader, destination, id);
  if (before?.spec.by === who.by && before.spec.act === act) return getOperation(reader, destination, id);
  if (before) throw refuse('EXISTS', `another one stands under ${id}`);
  const now = await reader.now();
  const frozenAt = Math.min(request.frozenAt, now);
  if (!Number.isFinite(frozenAt)) throw invalid('frozenAt', "must be the plan's, epoch ms");
  const ids = namedIn(target);
  if (ids && ids.length > MAX_NAMED) throw refuse('TOO_MANY', `${ids.length} are named; ${MAX_NAMED} may be`);
  const { count, atLeast } = await countMeant(reader, request, frozenAt, signal);
  if (atLeast) {
    const words = `${MAX_LOOKED_INTO} letters are looked into at most, and ${count} of them are meant: there may be more. Add another filter`;
    throw refuse('TOO_MANY', words);
  }
  if (count === 0) throw refuse('EMPTY', 'no dead letter is meant');
  if (count > MAX_OPERATION_ITEMS) throw refuse('TOO_MANY', `${count} are meant; ${MAX_OPERATION_ITEMS} may be`);
  checkConfirmed(request, count);
  const index = indexKeys(destination);
  const others = await readStandings(reader, destination, await reader.client.zrevrange(index.byTime, 0, -1));
  if (others.filter((one) => one && one.endedAt === undefined).length >= MAX_UNFINISHED)
    throw refuse('TOO_MANY', `${MAX_UNFINISHED} operations have not ended at ${destination}: end some first`);
  const spec: Spec = {
    id,
    destination,
    act,
    ...who,
    ...('filter' in target && { filter: frozen(target.filter, frozenAt) }),
    newKey: request.newKey === true,
    acceptDouble: request.acceptDouble === true,
    ignoreExpiry: request.ignoreExpiry === true,
    rate,
    steps,
    stopShare,
    createdAt: now,
  };
  signal?.throwIfAborted();
  const { operation, items } = operationKeys(destination, spec.id);
  const entry = operationAct(spec, 'operation-created', now, who, count);
  await run(
    reader.client,
    CREATE,
    [operation, index.marks, index.byTime, index.live, items, auditKey(destination)],
    [
      spec.id,
      JSON.stringify(spec),
      ids ? 'running' : 'preparing',
      count,
      now,
      JSON.stringify(entry),
      steps === 'canary' ? 1 : 0,
      ...(ids ?? []),
    ],
  );
  return getOperation(reader, destination, spec.id);
}

function checkConfirmed(request: CreateRequest, count: number): void {
  const { confirm = {} } = request;
  const wanted = confirmationOf(request, count);
  if (wanted.count !== undefined || confirm.count !== undefined) {
    if (confirm.count !== count) {
      const typed = confirm.count === undefined ? 'nothing was typed' : `${confirm.count} was typed`;
      throw new WaybillError(
        'NOT_CONFIRMED',
        `confirm.count: ${count} dead letters are meant now, and ${typed}: look at the plan again, and type their number`,
        { field: 'confirm.count' },
      );
    }
  }
  if (wanted.phrase !== undefined && confirm.phrase !== wanted.phrase) {
    throw new WaybillError(
      'NOT_CONFIRMED',
      `confirm.phrase: writes may be applied twice; type "${wanted.phrase}" to accept that`,
      { field: 'confirm.phrase' },
    );
  }
}

function checkNumber(field: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw invalid(field, `must be a number from ${min} to ${max}`);
}

const invalid = (field: string, words: string): WaybillError =>
  new WaybillError('INVALID_WRITE', `${field}: ${words}`, { field });

const refuse = (field: 'EMPTY' | 'TOO_MANY' | 'EXISTS', words: string): WaybillError =>
  new WaybillError('OPERATION_REFUSED', `the operation was not created: ${words}`, { field });
