// settle(): acts on a Disposition, and nothing else does. Each is one step in Redis, carried out by the call that BullMQ
// makes when the processor returns or throws.
import { DelayedError, UnrecoverableError } from 'bullmq';
import type { Disposition } from '../core/decide.ts';
import type { Wait } from '../core/back-off.ts';
import type { Journal } from '../core/journal.ts';
import type { WaybillBackend } from './backend.ts';
import type { Taken } from './take.ts';
import type { TakenJob } from './taken-job.ts';
import type { Delivery } from './delivery.ts';

/** What a worker found out about one write, and what is to be done about it. */
export interface Settlement {
  disposition: Disposition;
  /** With the entry of this attempt, if one was made and has not delivered the write. */
  journal: Journal;
  /** Starts without a record that the journal does not account for. */
  lost: number;
  delivery?: Delivery;
}

/** Thrown to make BullMQ retry; the back-off strategy reads the wait. Never holds upstream text: BullMQ reads messages. */
export class RetryLater extends Error {
  readonly wait: Wait;

  constructor(wait: Wait) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0; // to look for where it comes from costs more than all else of it
    super('retry');
    Error.stackTraceLimit = stackTraceLimit;
    this.wait = wait;
    this.stack = ''; // BullMQ would store it with the job
  }
}

/** @returns what BullMQ keeps as the job's return value @throws what BullMQ reads as retry, postponed or dead */
export function settle(
  backend: WaybillBackend,
  job: TakenJob,
  token: string,
  taken: Taken,
  settlement: Settlement,
  raw?: string,
): Delivery | undefined | Promise<never> {
  const { disposition, journal, lost } = settlement;
  switch (disposition.kind) {
    case 'delivered':
      job.delivery = settlement.delivery;
      // Should finishing it fail, BullMQ must not take that for a failed attempt: it goes to moveToFailed, which knows.
      job.opts.attempts = 0;
      return settlement.delivery;
    case 'retry':
      backend.carry(taken.jobId, token, journal, taken.journal);
      // decide() counts the attempts; BullMQ's own count must never overrule it.
      job.opts.attempts = Math.max(job.opts.attempts ?? 0, job.attemptsMade + 2);
      throw new RetryLater(disposition.wait);
    case 'postpone':
      backend.carry(taken.jobId, token, journal, taken.journal);
      return postpone(backend, taken.jobId, token, disposition.wait);
    case 'dead': {
      job.dead = {
        destination: backend.destination,
        jobId: taken.jobId,
        enqueuedAt: taken.enqueuedAt,
        reason: disposition.reason,
        because: disposition.because,
        lost,
        ...(taken.lostAt !== undefined && { lostAt: taken.lostAt }),
        journal,
        ...(taken.write && { write: taken.write }),
        ...(raw !== undefined && { raw }),
      };
      const error = new UnrecoverableError(`dead: ${disposition.reason}`);
      error.stack = '';
      throw error;
    }
  }
}

async function postpone(backend: WaybillBackend, jobId: string, token: string, { delayMs }: Wait): Promise<never> {
  await backend.moveToDelayed(jobId, Date.now(), delayMs, token, { skipAttempt: true });
  throw new DelayedError();
}
