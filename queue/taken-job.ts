// BullMQ's Job, and what a worker finds out about it on its way. It stands with the job and not in maps beside it: entries
// of a WeakMap for each write were a tenth of a worker's time, in the collection of garbage.
import { Job } from 'bullmq';
import type { Delivery } from './delivery.ts';
import type { DeadFacts } from './letter.ts';

export class TakenJob extends Job {
  /** The data as it stands in Redis. */
  raw = '';
  /** It is on its way to be finished as delivered: an error on that way must not become a retry. */
  delivery: Delivery | undefined;
  /** It is on its way to its dead letter. */
  dead: DeadFacts | undefined;

  /** As BullMQ's own, without its spans, and without looking whether what is returned can be JSON. */
  override async moveToCompleted(delivery: unknown, token: string, fetchNext = true): Promise<void | unknown[]> {
    this.returnvalue = delivery;
    const { result, finishedOn } = await this.backend.moveToCompleted(this, delivery, false, token, fetchNext);
    this.finishedOn = finishedOn;
    this.attemptsMade += 1;
    return result;
  }
}
