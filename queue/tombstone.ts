// What stays of a settled write under its job id: enough to answer the same key again, and no body.
import { isRecord } from '../core/json.ts';
import type { Method, Write } from '../core/write.ts';

/** The data of a settled job. */
export interface Tombstone {
  method?: Method;
  path?: string;
  idempotencyKey?: string;
  settled: 'delivered' | 'dead';
  /** The dead letter that holds the rest. */
  letter?: string;
}

export function tombstoneOf(write: Write | undefined, settled: Tombstone['settled'], letter?: string): Tombstone {
  return {
    ...(write && { method: write.method, path: write.path, idempotencyKey: write.idempotencyKey }),
    settled,
    ...(letter !== undefined && { letter }),
  };
}

/** A settled job that somebody put back into the queue with a plain BullMQ tool: it must never be sent. */
export function asTombstone(data: unknown): Tombstone | undefined {
  return isRecord(data) && (data.settled === 'delivered' || data.settled === 'dead')
    ? (data as unknown as Tombstone)
    : undefined;
}
