// Where is my write? By idempotency key, job id, dead letter id, or the request_id of a dead one.
import type { Job, JobState } from 'bullmq';
import { type Journal, readJournal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { verdictOf, type Verdict } from '../core/verdict.ts';
import { jobIdOf } from '../core/write.ts';
import { getLetter, letterOfRequestId } from './dead-letters.ts';
import { jobIdOfLetter } from './keys.ts';
import { type DeadLetter, requestIdsOf } from './letter.ts';
import type { Reader } from './reader.ts';
import { asTombstone } from './tombstone.ts';
import type { Delivery } from './delivery.ts';

export type FoundState = 'scheduled' | 'waiting' | 'sending' | 'retrying' | 'postponed' | 'delivered' | 'dead';

export interface Found {
  destination: string;
  jobId: string;
  idempotencyKey?: string;
  state: FoundState;
  /** Of a settled write; of another, what the journal shows so far. */
  verdict: Verdict;
  method?: string;
  path?: string;
  /** Epoch ms. */
  enqueuedAt: number;
  /** Epoch ms; of a scheduled, retrying or postponed write. */
  nextAttemptAt?: number;
  journal: Journal;
  requestIds: string[];
  delivery?: Delivery;
  letter?: DeadLetter;
}

/** A delayed job's score holds its time in the upper bits (BullMQ). */
const DELAYED_SCORE_SHIFT = 0x1000;
const MAX_READS = 5;

/**
 * Looks in every destination, or in one.
 * @returns every write that the id stands for: a key may be used at several destinations
 */
export async function find(reader: Reader, id: string, only?: string): Promise<Found[]> {
  const names = await reader.destinations(only);
  const found: Found[] = [];
  for (const destination of names) {
    for (const jobId of new Set([jobIdOf(id), jobIdOfLetter(id)])) {
      const one = await findJob(reader, destination, jobId);
      if (one) found.push(one);
    }
  }
  if (found.length > 0) return found;
  const row = await letterOfRequestId(reader, names, id);
  if (!row) return [];
  const one = await findJob(reader, row.destination, jobIdOfLetter(row.id));
  return one ? [one] : [];
}

async function findJob(reader: Reader, destination: string, jobId: string): Promise<Found | undefined> {
  const read = await readSteadily(reader, destination, jobId);
  if (!read) return undefined;
  const { job, state } = read;
  const data: unknown = job.data;
  const text = (field: string): string | undefined =>
    isRecord(data) && typeof data[field] === 'string' ? data[field] : undefined;
  const journal = readJournal(job.progress);
  const base = {
    destination,
    jobId,
    ...(text('idempotencyKey') !== undefined && { idempotencyKey: text('idempotencyKey') ?? '' }),
    ...(text('method') !== undefined && { method: text('method') ?? '' }),
    ...(text('path') !== undefined && { path: text('path') ?? '' }),
    enqueuedAt: job.timestamp,
  };
  switch (state) {
    case 'completed': {
      const tombstone = asTombstone(data);
      const delivery = tombstone?.settled === 'delivered' ? tombstone.delivery : (job.returnvalue as Delivery);
      return {
        ...base,
        state: 'delivered',
        verdict: 'applied-once',
        journal,
        delivery,
        requestIds: requestIds(journal, delivery?.requestId),
      };
    }
    case 'failed': {
      const tombstone = asTombstone(data);
      const letterId = tombstone?.settled === 'dead' ? tombstone.letter : undefined;
      const letter = letterId === undefined ? undefined : await getLetter(reader, destination, letterId);
      const dead = letter?.journal ?? journal;
      return {
        ...base,
        state: 'dead',
        verdict: letter?.verdict ?? 'in-doubt',
        journal: dead,
        requestIds: requestIds(dead),
        ...(letter && { letter }),
      };
    }
    case 'unknown':
      return undefined;
    case 'delayed': {
      const score = await reader.client.zscore(reader.queue(destination).toKey('delayed'), jobId);
      return {
        ...base,
        state: journal.attempts.length > 0 ? 'retrying' : journal.postponed > 0 ? 'postponed' : 'scheduled',
        verdict: verdictOf(journal, openStarts(job, journal)),
        journal,
        requestIds: requestIds(journal),
        ...(score !== null && { nextAttemptAt: Math.floor(Number(score) / DELAYED_SCORE_SHIFT) }),
      };
    }
    case 'active':
    case 'waiting':
    case 'prioritized':
    case 'waiting-children':
      return {
        ...base,
        state: state === 'active' ? 'sending' : 'waiting',
        verdict: verdictOf(journal, openStarts(job, journal)),
        journal,
        requestIds: requestIds(journal),
      };
  }
}

/** The job and its state of one moment: between two reads a worker may have settled it. */
async function readSteadily(
  reader: Reader,
  destination: string,
  jobId: string,
): Promise<{ job: Job; state: JobState | 'unknown' } | undefined> {
  for (let tries = 1; ; tries++) {
    const before = await reader.queue(destination).getJobState(jobId);
    const job = await reader.job(destination, jobId);
    if (!job) return undefined;
    const state = await job.getState();
    if (state === before || tries === MAX_READS) return { job, state };
  }
}

/** Starts that no entry accounts for, the one under way included: it may have been applied by now. */
function openStarts(job: Job, journal: Journal): number {
  return Math.max(0, job.attemptsStarted - journal.attempts.length - journal.postponed - journal.lost);
}

function requestIds(journal: Journal, last?: string): string[] {
  return [...new Set([...requestIdsOf(journal), ...(last === undefined ? [] : [last])])];
}
