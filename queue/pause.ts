// Holding a destination: its queue is paused as BullMQ pauses it, so that workers finish what they have and fetch no more.
import { type Operator, audit, checkOperator, isPauseAct, type PauseAct } from './acts.ts';
import type { WaybillBackend } from './backend.ts';
import type { Reader } from './reader.ts';

/** How it was answered. */
export interface PauseAnswer {
  destination: string;
  paused: boolean;
  /** False: it was so already, and nothing was done or written down. */
  changed: boolean;
  /** Who last paused it or let it go on, as far as the audit stream tells: a plain BullMQ tool writes nothing there. */
  last?: PauseAct;
}

/** Of the audit stream, how far back the last pause is looked for. */
const LOOK = 1000;

/**
 * Lets workers fetch no more writes of a destination, until it is resumed; those in flight are finished.
 * @throws WaybillError NOT_FOUND for a destination that was never used · INVALID_WRITE for a bad `by` or `reason`
 */
export const pauseDestination = (reader: Reader, destination: string, operator: Operator): Promise<PauseAnswer> =>
  turn(reader, destination, 'pause', operator);

/** The same the other way. */
export const resumeDestination = (reader: Reader, destination: string, operator: Operator): Promise<PauseAnswer> =>
  turn(reader, destination, 'resume', operator);

async function turn(
  reader: Reader,
  destination: string,
  kind: PauseAct['act'],
  operator: Operator,
): Promise<PauseAnswer> {
  const who = checkOperator(operator);
  await reader.destinations(destination);
  const act: PauseAct = { act: kind, at: await reader.now(), ...who };
  const backend = reader.queue(destination).getBackend() as unknown as WaybillBackend;
  const paused = kind === 'pause';
  const changed = await backend.pauseOrResume(paused, JSON.stringify(act));
  const last = changed ? act : await lastPauseOf(reader, destination);
  return { destination, paused, changed, ...(last && { last }) };
}

/** @returns the last pause or resume that stands in the audit stream's newest entries */
export async function lastPauseOf(reader: Reader, destination: string): Promise<PauseAct | undefined> {
  let looked = 0;
  for await (const { destination: _destination, entry: _entry, ...noted } of audit(reader, destination)) {
    if (isPauseAct(noted)) return noted;
    looked += 1;
    if (looked >= LOOK) return undefined;
  }
  return undefined;
}
