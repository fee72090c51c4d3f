// Every error that Waybill raises on purpose: a stable code to branch on, a sentence for people, and never a secret.

export type WaybillErrorCode =
  | 'INVALID_WRITE' // the write, or an option of add(), is not what the contract allows; `field` names it
  | 'IDEMPOTENCY_CONFLICT' // the key stands for another payload already; nothing was enqueued
  | 'QUEUE_UNAVAILABLE' // Redis did not answer in time; the write may have been stored: add it again with the same key
  | 'QUEUE_REFUSED' // Redis answered, but refused (out of memory, read-only replica, no permission)
  | 'NOT_REPLICATED' // the write is stored at the primary, and fewer replicas than asked for had it in time: add it again with the same key
  | 'INVALID_CONFIG' // one or more configuration values are wrong; the message lists all of them
  | 'REDIS_UNFIT' // the server cannot keep the promises: too old, evicting, or its clock differs
  | 'LETTER_EXISTS' // a dead letter stands under this id already; nothing was written
  | 'LETTER_HANDLED' // somebody else has replayed, discarded or restored the dead letter; the message says who and when
  | 'REPLAY_REFUSED' // the replay or the probe could apply the write twice, or cannot be sent, or there is no doubt that a probe could settle; nothing was changed
  | 'NOT_CONFIRMED' // what a person has to type for a bulk operation was not given, or its count has changed since; nothing was changed
  | 'OPERATION_REFUSED' // the bulk operation means no letter or too many, or its state does not allow that; nothing was changed
  | 'MASK_MISPLACED' // an edited write has a mask where it stands for no value; `field` says where, and nothing was enqueued
  | 'WAIT_TIMEOUT' // the write had not ended within waitFor's time limit; it goes on
  | 'NOT_FOUND'; // no such write, dead letter or destination

export class WaybillError extends Error {
  readonly code: WaybillErrorCode;
  /** The field at fault, as a path (`body`, `headers.x-id`, `options.jobId`), where one can be named. */
  declare readonly field?: string;

  constructor(code: WaybillErrorCode, message: string, more: { field?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'WaybillError';
    this.code = code;
    if (more.field !== undefined) this.field = more.field;
  }
}
