// How a write ended, read from where it stands: no event is needed, so that it is the same after any restart.
import type { DeadReason } from '../core/decide.ts';
import { readJournal } from '../core/journal.ts';
import { verdictOfDelivered, type Verdict } from '../core/verdict.ts';
import type { Cluster, Redis } from 'ioredis';
import type { FiledLetter } from './dead-letters.ts';
import { prefixOf } from './keys.ts';
import { asTombstone, type Tombstone } from './tombstone.ts';

/** One write's end. A dead one may be replayed by an operator later: it is dead until then. */
export interface Ending {
  destination: string;
  jobId: string;
  /** Missing where what stood in the queue was no write. */
  idempotencyKey?: string;
  state: 'delivered' | 'dead' | 'discarded';
  verdict: Verdict;
  /** Of the answer that settled it, or the last one that a dead write got. */
  requestId?: string;
  status?: number;
  /** Attempts spent, of the last generation. */
  attempts: number;
  /** Epoch ms. */
  endedAt: number;
  /** Of a dead or discarded one. */
  reason?: DeadReason;
  /** The envelope's code. */
  code?: string;
  /** The dead letter's id. */
  letter?: string;
}

/** @param progress the job's journal as it stands in Redis, parsed */
export function endingOfDelivered(
  destination: string,
  jobId: string,
  { delivery, idempotencyKey }: Tombstone & { settled: 'delivered' },
  progress: unknown,
): Ending {
  return {
    destination,
    jobId,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    state: 'delivered',
    verdict: verdictOfDelivered(readJournal(progress)),
    ...(delivery.requestId !== undefined && { requestId: delivery.requestId }),
    status: delivery.status,
    attempts: delivery.attempts,
    endedAt: delivery.deliveredAt,
  };
}

/** A settled or open job's data and journal, parsed as far as they can be. @returns undefined where no job stands */
export async function readJob(
  client: Redis | Cluster,
  destination: string,
  jobId: string,
): Promise<{ data: unknown; progress: unknown } | undefined> {
  const [data, progress] = await client.hmget(`${prefixOf(destination)}:${destination}:${jobId}`, 'data', 'progress');
  return typeof data === 'string' ? { data: parsed(data), progress: parsed(progress) } : undefined;
}

export async function readDelivered(
  client: Redis | Cluster,
  destination: string,
  jobId: string,
): Promise<Ending | undefined> {
  const job = await readJob(client, destination, jobId);
  const tombstone = asTombstone(job?.data);
  return tombstone?.settled === 'delivered'
    ? endingOfDelivered(destination, jobId, tombstone, job?.progress)
    : undefined;
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

export function endingOfDead(letter: Omit<FiledLetter, 'acts'>): Ending {
  const { destination, jobId, write, verdict, requestId, status, journal, deadAt, reason, envelope, id } = letter;
  return {
    destination,
    jobId,
    ...(write && { idempotencyKey: write.idempotencyKey }),
    state: letter.state === 'discarded' ? 'discarded' : 'dead',
    verdict,
    ...(requestId !== undefined && { requestId }),
    ...(status !== undefined && { status }),
    attempts: journal.attempts.length,
    endedAt: deadAt,
    reason,
    ...(envelope && { code: envelope.code }),
    letter: id,
  };
}
