// What an operation does by itself where it is in the hands of a runner: goes on to the next canary step, waits for one, or
// pauses.
import { auditKey } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { operationAct } from './control.ts';
import { indexKeys, operationKeys } from './keys.ts';
import type { OperationAct } from '../acts.ts';
import { readStanding, type Standing } from './read.ts';
import { run, TURN } from './scripts.ts';
import { isTooMany, stepAfter, stepsOf, tooManyInWords } from './steps.ts';

/** An operation whose lease a runner has. */
export interface Held {
  reader: Reader;
  destination: string;
  id: string;
  token: string;
  leaseMs: number;
}

/**
 * Before the next canary step: the writes of this one have ended, and not too many of them dead.
 * @param stepWaitMs how long they are waited for
 * @returns 'waits' when it is to be asked again
 */
export async function endStep(held: Held, stepWaitMs: number): Promise<'waits' | 'turned'> {
  const standing = await readStanding(held.reader, held.destination, held.id);
  if (!standing?.step) return 'turned';
  const { step, next, total, counts, since } = standing;
  // Nothing has been tried yet: whatever stood there was refused, or handled by others.
  if (step.n === 1 && counts.done === 0) return turn(held, 'next', 1, next + 1);
  const underway = since.done - since.delivered - since.dead;
  if (underway > 0) {
    if (step.waitingFrom === undefined) await turn(held, 'wait');
    else if ((await held.reader.now()) - step.waitingFrom > stepWaitMs) {
      const waited = `${Math.round(stepWaitMs / 1000)} s`;
      const of = `step ${step.n} of ${stepsOf(total).length}`;
      return pause(held, standing, `after ${waited} ${underway} of the ${since.done} writes of ${of} had not ended`);
    }
    return 'waits';
  }
  if (isTooMany(standing, true)) return stopForDead(held, standing);
  const { n, until } = stepAfter(step.n, next, total);
  return turn(held, 'next', n, until);
}

/** Too many of the replayed writes are dead again. */
export async function stopForDead(held: Held, standing: Standing): Promise<'turned'> {
  const codes = await held.reader.client.hgetall(operationKeys(held.destination, held.id).codes);
  return pause(held, standing, tooManyInWords(standing, codes));
}

/** What Redis refuses for good, a permission or a type, is nothing that the next item could do better. */
export async function stopForRefusals(held: Held, { count, said }: { count: number; said: string }): Promise<void> {
  const standing = await readStanding(held.reader, held.destination, held.id);
  if (standing) await pause(held, standing, `Redis refused ${count} items in a row: ${said}`);
}

async function pause(held: Held, { spec, since, counts }: Standing, words: string): Promise<'turned'> {
  const entry = pausedItself(spec, await held.reader.now(), words, counts.done);
  return turn(held, 'pause', since.from, words, JSON.stringify(entry));
}

/** @param at epoch ms */
export const pausedItself = (spec: Standing['spec'], at: number, words: string, done: number): OperationAct =>
  operationAct(spec, 'operation-paused', at, { by: 'waybill', reason: words }, done);

async function turn(held: Held, how: 'wait' | 'next' | 'pause', ...args: (number | string)[]): Promise<'turned'> {
  const { reader, destination, id, token, leaseMs } = held;
  const { operation, lease } = operationKeys(destination, id);
  const { marks } = indexKeys(destination);
  await run(reader.client, TURN, [operation, marks, lease, auditKey(destination)], [id, token, leaseMs, how, ...args]);
  return 'turned';
}
