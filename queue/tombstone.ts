// What stays of a settled write under its job id: enough to answer the same key again, and no body.
import { isRecord } from '../core/json.ts';
import type { Method, Write } from '../core/write.ts';
import type { Delivery } from './delivery.ts';

interface Remains {
  method?: Method;
  path?: string;
  idempotencyKey?: string;
}

/** The data of a settled job. */
export type Tombstone =
  | (Remains & { settled: 'delivered'; delivery: Delivery })
  /** `letter`: the dead letter that holds the rest. */
  | (Remains & { settled: 'dead'; letter: string });

export function deliveredTombstone(write: Write, delivery: Delivery): Tombstone & { settled: 'delivered' } {
  return { ...remainsOf(write), settled: 'delivered', delivery };
}

export function deadTombstone(write: Write | undefined, letter: string): Tombstone {
  return { ...remainsOf(write), settled: 'dead', letter };
}

/** A settled job's data; when such a job is taken, somebody put it back with a plain BullMQ tool: it must never be sent. */
export function asTombstone(data: unknown): Tombstone | undefined {
  if (!isRecord(data)) return undefined;
  return data.settled === 'delivered' || data.settled === 'dead' ? (data as unknown as Tombstone) : undefined;
}

function remainsOf(write: Write | undefined): Remains {
  return write ? { method: write.method, path: write.path, idempotencyKey: write.idempotencyKey } : {};
}
