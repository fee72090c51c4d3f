// From a BullMQ job to the write it holds: checked, whoever enqueued it.
import { createHash } from 'node:crypto';
import type { Job } from 'bullmq';
import { WaybillError } from '../core/errors.ts';
import { type Journal, readJournal, unrecordedStarts } from '../core/journal.ts';
import { isRecord, parseKeepingDigits } from '../core/json.ts';
import { toWrite, type Write } from '../core/write.ts';

/** One write as a worker took it. */
export interface Taken {
  jobId: string;
  /** Missing when what stood in the queue is no write: `invalid` says why. */
  write?: Write;
  invalid?: { field: string; message: string };
  journal: Journal;
  /** When this start began, epoch ms; missing where BullMQ did not say. */
  takenAt?: number;
  /** Starts before this one that left no record. */
  lost: number;
  /** When the first of them began, epoch ms. */
  lostAt?: number;
  /** Epoch ms. */
  enqueuedAt: number;
}

/** JSON in the place of data that is none: what BullMQ makes of it, take() tells from the raw text. */
export const CORRUPT = 'null';

/** What BullMQ makes of data that are not there. */
const EMPTY = '{}';
/** Nobody knows any more how often it was started: it counts as one start without a record, for the verdict's sake. */
const GONE = 'payload: its whole record is gone, evicted from Redis or deleted there; it may have been sent';

/** @param rawData the job's data as it stands in Redis */
export function take(job: Job, rawData: string): Taken {
  const journal = readJournal(job.progress);
  const enqueuedAt = Number.isFinite(job.timestamp) ? job.timestamp : Date.now();
  const taken: Taken = {
    jobId: job.id ?? '',
    journal,
    lost: unrecordedStarts(journal, job.attemptsStarted),
    ...(job.processedOn !== undefined && { takenAt: job.processedOn }),
    enqueuedAt,
  };
  if (rawData === EMPTY && !Number.isFinite(job.timestamp)) {
    return { ...taken, lost: Math.max(1, taken.lost), invalid: { field: 'payload', message: GONE } };
  }
  try {
    if (job.data === undefined || job.data === null) JSON.parse(rawData);
    const stored = withBodyAsItStands(job.data, rawData);
    return { ...taken, write: toWrite(stored, () => keyOf(job, rawData), true) };
  } catch (error) {
    if (error instanceof WaybillError)
      return { ...taken, invalid: { field: error.field ?? 'payload', message: error.message } };
    return { ...taken, invalid: { field: 'payload', message: 'payload: is not JSON' } };
  }
}

/** A producer that gives no key gets one that every attempt makes again: of the queue, the job and its payload. */
function keyOf(job: Job, rawData: string): string {
  return `wb_${createHash('sha256')
    .update(JSON.stringify([job.queueQualifiedName, job.id, job.timestamp, rawData]))
    .digest('base64url')}`;
}

/** BullMQ's JSON.parse has cost a plain producer's body the digits of its big numbers: it is read again. */
function withBodyAsItStands(data: unknown, rawData: string): unknown {
  if (!isRecord(data) || data.body === undefined || typeof data.body === 'string') return data;
  const exact = parseKeepingDigits(rawData) as { body: unknown };
  return { ...data, body: JSON.stringify(exact.body) };
}

const CREDENTIAL = /authorization|cookie|api[-_]?key|token|secret|password/i;
const MAX_RAW_LENGTH = 1_000_000;

/** What stood in the queue in a write's place, for its dead letter: as text, without credentials in its headers. */
export function rawText(rawData: string): string {
  try {
    const data = parseKeepingDigits(rawData);
    if (isRecord(data) && isRecord(data.headers)) {
      const masked = Object.entries(data.headers).map(([name, value]) => [
        name,
        CREDENTIAL.test(name) ? '[redacted]' : value,
      ]);
      return JSON.stringify({ ...data, headers: Object.fromEntries(masked) as unknown });
    }
  } catch {
    // Not JSON: kept as it stands.
  }
  return rawData.slice(0, MAX_RAW_LENGTH);
}
