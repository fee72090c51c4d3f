// A dead letter as the BullMQ job that holds it: exactly what `Queue.add` would write. It stands in a sorted set: to take
// one out of the middle of a list, Redis walks through that list. DEAD_LETTER takes away what it has no use for.
import type { JobJson } from 'bullmq';
import type { DeadLetter } from './letter.ts';
import { storedLetter } from './stored-letter.ts';

export const LETTER_JOB_NAME = 'dead-letter';
/** Any priority above 0 puts a job into the sorted set `prioritized`, in the order of adding. */
export const LETTER_PRIORITY = 1;

export function letterJobJson(letter: DeadLetter): JobJson {
  return {
    id: letter.id,
    name: LETTER_JOB_NAME,
    data: storedLetter(letter),
    opts: { priority: LETTER_PRIORITY, attempts: 0, jobId: letter.id, removeOnComplete: false, removeOnFail: false },
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    timestamp: letter.deadAt,
  } as JobJson;
}
