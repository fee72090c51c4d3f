// What stays of a settled write under its job id: enough to answer the same key again, and no body.
import { isRecord } from '../core/json.ts';
import type { Method, Write } from '../core/write.ts';
import type { Delivery } from './delivery.ts';

interface Remains {
  /** Missing: POST, as most are. */
  method?: Method;
  path?: string;
  idempotencyKey?: string;
}

/** The data of a settled job. */
export type Tombstone =
  | (Remains & { settled: 'delivered'; delivery: Delivery })
  /** `letter`: the dead letter that holds the rest. */
  | { settled: 'dead'; letter: string };

type Delivered = Tombstone & { settled: 'delivered' };

export function deliveredTombstone(write: Write, delivery: Delivery): Delivered {
  const { method, path, idempotencyKey } = write;
  return { ...(method !== 'POST' && { method }), path, idempotencyKey, settled: 'delivered', delivery };
}

/** A delivered write's tombstone as JSON, up to its delivery, which is the last of it. */
export function headOf(tombstone: Tombstone): string {
  const { delivery: _delivery, ...rest } = tombstone as Delivered;
  return `${JSON.stringify(rest).slice(0, -1)},"delivery":`;
}

/** What BullMQ calls a job's return value: of a delivered write, its tombstone holds it. @returns JSON */
export function returnValueOf(data: string): string | undefined {
  if (!data.includes('"settled"')) return undefined;
  try {
    const tombstone = asTombstone(JSON.parse(data));
    return tombstone?.settled === 'delivered' ? JSON.stringify(tombstone.delivery) : undefined;
  } catch {
    return undefined;
  }
}

/** Its letter holds the write; so it is short enough for what Redis keeps close together. */
export const deadTombstone = (letter: string): Tombstone => ({ settled: 'dead', letter });

/** A settled job's data; when such a job is taken, somebody put it back with a plain BullMQ tool: it must never be sent. */
export function asTombstone(data: unknown): Tombstone | undefined {
  if (!isRecord(data)) return undefined;
  return data.settled === 'delivered' || data.settled === 'dead' ? (data as unknown as Tombstone) : undefined;
}
