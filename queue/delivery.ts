// A delivered write's answer: BullMQ's return value, and part of the tombstone.

/** What a delivered write left. */
export interface Delivery {
  status: number;
  requestId?: string;
  /** Epoch ms of the answer. */
  deliveredAt: number;
  durationMs: number;
  /** How many attempts it took. */
  attempts: number;
  /** The API said that this was the stored answer of an earlier send. */
  replayed?: true;
  /** Starts before the last attempt that left no record, beside those of the journal. */
  lost?: number;
  worker?: string;
}
