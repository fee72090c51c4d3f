// An operator of a campaign, in whichever process: does what it is told to a dead letter, and says how it went.
import { WaybillError } from '../../core/errors.ts';
import type { Acting } from '../../queue/acts.ts';
import { discard, replay, type ReplayOptions, restore } from '../../queue/operate.ts';
import { probe } from '../../queue/probe.ts';
import type { Reader } from '../../queue/reader.ts';

export interface Order {
  act: 'replay' | 'probe' | 'discard' | 'restore';
  letter: string;
  operator: Acting & { actId: string };
  options?: ReplayOptions;
}

/** How it went; without one nobody knows. */
export interface Report {
  actId: string;
  /** The code of its refusal; missing where it was done. */
  refused?: string;
}

const ACTS = { probe, discard, restore } as const;

/** @throws what is no answer, such as a connection that broke */
export async function carryOut(reader: Reader, destination: string, order: Order): Promise<Report> {
  const { act, letter, operator, options } = order;
  const { actId } = operator;
  try {
    if (act === 'replay') await replay(reader, destination, letter, operator, options);
    else await ACTS[act](reader, destination, letter, operator);
    return { actId };
  } catch (error) {
    if (error instanceof WaybillError) return { actId, refused: error.code };
    throw error;
  }
}
