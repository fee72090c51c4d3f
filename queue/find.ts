// Where is my write? By idempotency key, job id, dead letter id, or the request_id of one of its attempts.
import type { Job, JobState } from 'bullmq';
import { type Journal, readJournal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { verdictOf, verdictOfDelivered, type Verdict } from '../core/verdict.ts';
import { jobIdOf } from '../core/write.ts';
import type { Act } from './acts.ts';
import { type FiledLetter, getLetter } from './dead-letters.ts';
import { generationOfLetter, jobIdOfLetter, letterId, ORIGIN_FIELD, rowKeys } from './keys.ts';
import { requestIdsOf } from './letter.ts';
import type { Reader } from './reader.ts';
import { asTombstone } from './tombstone.ts';
import type { Delivery } from './delivery.ts';

export type FoundState =
  | 'scheduled'
  | 'waiting'
  | 'sending'
  | 'retrying'
  | 'postponed'
  | 'delivered'
  | 'dead'
  | 'discarded'
  /** Replayed under a new key: `replacedBy` is where it went. */
  | 'replaced';

export interface Found {
  destination: string;
  jobId: string;
  idempotencyKey?: string;
  state: FoundState;
  /** Of a settled write; of another, what the journal shows so far. */
  verdict: Verdict;
  method?: string;
  path?: string;
  /** Epoch ms; of the first generation that is kept. */
  enqueuedAt: number;
  /** Epoch ms; of a scheduled, retrying or postponed write. */
  nextAttemptAt?: number;
  journal: Journal;
  requestIds: string[];
  delivery?: Delivery;
  letter?: FiledLetter;
  replacedBy?: NonNullable<Act['newKey']>;
  /** The dead letter of another key that it was replayed from. */
  origin?: string;
  /** The dead letters of its earlier generations, the first one first, as far as retention has kept them. */
  lineage: FiledLetter[];
}

/** A delayed job's score holds its time in the upper bits (BullMQ). */
const DELAYED_SCORE_SHIFT = 0x1000;
const MAX_READS = 5;
/** Generations of one write that are looked at, the newest ones. */
const MAX_LINEAGE = 50;

/**
 * Looks in every destination, or in one. Delivered writes are not found by request_id here: see find-delivered.ts.
 * @returns every write that the id stands for: a key may be used at several destinations
 */
export async function find(reader: Reader, id: string, only?: string): Promise<Found[]> {
  const names = await reader.destinations(only);
  const found: Found[] = [];
  for (const destination of names) {
    for (const jobId of new Set([jobIdOf(id), jobIdOfLetter(id), id])) {
      const one = await findJob(reader, destination, jobId);
      if (one) found.push(one);
    }
    if (found.length === 0) {
      const one = await findByLetter(reader, destination, id);
      if (one) found.push(one);
    }
  }
  return found.length > 0 ? found : findByRow(reader, names, id);
}

/** By the row that a retry or a death leaves for each request_id. */
async function findByRow(reader: Reader, names: readonly string[], requestId: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const destination of names) {
    const id = await reader.client.hget(rowKeys(destination).byRequestId, requestId);
    if (id === null) continue;
    const one =
      (await findJob(reader, destination, jobIdOfLetter(id))) ?? (await findByLetter(reader, destination, id));
    if (one) found.push(one);
  }
  return found;
}

/** A letter whose write's job is gone. */
async function findByLetter(reader: Reader, destination: string, id: string): Promise<Found | undefined> {
  const letter = generationOfLetter(id) === undefined ? undefined : await getLetter(reader, destination, id);
  if (!letter) return undefined;
  const { jobId, enqueuedAt } = letter;
  return {
    destination,
    jobId,
    enqueuedAt,
    lineage: [],
    ...asDead(letter),
  };
}

/** @returns the write of a job, or undefined where no job stands */
export async function findJob(reader: Reader, destination: string, jobId: string): Promise<Found | undefined> {
  const read = await readSteadily(reader, destination, jobId);
  if (!read) return undefined;
  const { job, state } = read;
  const data: unknown = job.data;
  const text = (field: string): string | undefined =>
    isRecord(data) && typeof data[field] === 'string' ? data[field] : undefined;
  const method = text('method') ?? (asTombstone(data)?.settled === 'delivered' ? 'POST' : undefined);
  const journal = readJournal(job.progress);
  const lineage = await lineageOf(reader, destination, jobId, journal.generation);
  const origin = await reader.client.hget(reader.queue(destination).toKey(jobId), ORIGIN_FIELD);
  const base = {
    destination,
    jobId,
    ...(text('idempotencyKey') !== undefined && { idempotencyKey: text('idempotencyKey') ?? '' }),
    ...(method !== undefined && { method }),
    ...(text('path') !== undefined && { path: text('path') ?? '' }),
    enqueuedAt: lineage[0]?.enqueuedAt ?? job.timestamp,
    ...(origin !== null && { origin }),
    lineage,
  };
  switch (state) {
    case 'completed': {
      const tombstone = asTombstone(data);
      const delivery = tombstone?.settled === 'delivered' ? tombstone.delivery : (job.returnvalue as Delivery);
      return {
        ...base,
        state: 'delivered',
        verdict: verdictOfDelivered(journal),
        journal,
        delivery,
        requestIds: requestIds(journal, delivery?.requestId),
      };
    }
    case 'failed': {
      const tombstone = asTombstone(data);
      const id = tombstone?.settled === 'dead' ? tombstone.letter : undefined;
      const letter = id === undefined ? undefined : await getLetter(reader, destination, id);
      if (!letter) return { ...base, state: 'dead', verdict: 'in-doubt', journal, requestIds: requestIds(journal) };
      const before = await lineageOf(reader, destination, jobId, generationOfLetter(letter.id) ?? 0);
      const enqueuedAt = before[0]?.enqueuedAt ?? base.enqueuedAt;
      return { ...base, enqueuedAt, lineage: before, ...asDead(letter) };
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

function asDead(
  letter: FiledLetter,
): Pick<Found, 'idempotencyKey' | 'method' | 'path' | 'state' | 'verdict' | 'journal' | 'requestIds' | 'letter'> {
  const { write } = letter;
  const { newKey } = letter.acts.at(-1) ?? {};
  const replaced = letter.state === 'replayed' && newKey !== undefined;
  return {
    ...(write && { idempotencyKey: write.idempotencyKey, method: write.method, path: write.path }),
    state: replaced ? 'replaced' : letter.state === 'discarded' ? 'discarded' : 'dead',
    verdict: letter.verdict,
    journal: letter.journal,
    requestIds: requestIds(letter.journal),
    letter,
    ...(replaced && { replacedBy: newKey }),
  };
}

async function lineageOf(
  reader: Reader,
  destination: string,
  jobId: string,
  generation: number,
): Promise<FiledLetter[]> {
  const found: FiledLetter[] = [];
  for (let before = Math.max(0, generation - MAX_LINEAGE); before < generation; before++) {
    const letter = await getLetter(reader, destination, letterId(jobId, before));
    if (letter) found.push(letter);
  }
  return found;
}

/** The job and its state of one moment: between two reads a worker may have settled it. */
async function readSteadily(
  reader: Reader,
  destination: string,
  jobId: string,
): Promise<{ job: Job; state: JobState | 'unknown' } | undefined> {
  const queue = reader.queue(destination);
  /** What a start, or its end, changes. */
  const stamp = async (): Promise<string> =>
    JSON.stringify([await queue.getJobState(jobId), await reader.client.hmget(queue.toKey(jobId), 'ats', 'progress')]);
  for (let tries = 1; ; tries++) {
    // Keys of the queue itself are of another type, which this read tells, and the others throw at.
    if (!(await reader.job(destination, jobId))) return undefined;
    const before = await stamp();
    const read = await reader.job(destination, jobId);
    if (!read) return undefined;
    const state = await read.getState();
    if ((await stamp()) === before || tries === MAX_READS) return { job: read, state };
  }
}

/** Starts that no entry accounts for, the one under way included: it may have been applied by now. */
function openStarts(job: Job, journal: Journal): number {
  return Math.max(0, job.attemptsStarted - journal.attempts.length - journal.postponed - journal.lost);
}

function requestIds(journal: Journal, last?: string): string[] {
  return [...new Set([...requestIdsOf(journal), ...(last === undefined ? [] : [last])])];
}
