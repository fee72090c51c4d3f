// A dead letter's write goes back into its queue, in the step that writes down who acts: the common part of replay and
// probe.
import type { JobJson } from 'bullmq';
import { DEFAULT_MAX_ATTEMPTS } from '../core/config-schema.ts';
import type { Journal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { payloadHash, type Write } from '../core/write.ts';
import type { Act } from './acts.ts';
import { generationOfLetter, letterId } from './keys.ts';
import { actDone, backendOf } from './letter-act.ts';
import type { Reader } from './reader.ts';

export interface Sending {
  write: Write;
  /** Of the dead write itself, or of a new write under a new key. */
  jobId: string;
  /** That the new generation, or the new write, starts with. */
  journal: Journal;
}

/**
 * @returns the act as it stands: tried again, it is the first try that was done
 * @throws WaybillError LETTER_HANDLED · REPLAY_REFUSED · IDEMPOTENCY_CONFLICT
 */
export async function sendAgain(
  reader: Reader,
  destination: string,
  { write, jobId, journal }: Sending,
  act: Act,
): Promise<Act> {
  const { letter, jobId: sourceId, at: now } = act;
  const job = jobOf(jobId, write, await priorityOf(reader, destination, sourceId), now);
  const answer = await backendOf(reader, destination).replay(job, {
    letterId: letter,
    nextLetterId: letterId(sourceId, (generationOfLetter(letter) ?? 0) + 1),
    sourceId,
    payloadHash: payloadHash(write),
    journal: JSON.stringify(journal),
    act: JSON.stringify(act),
    now,
  });
  return actDone(answer, act);
}

/** What BullMQ's own add() would be given for the write. Its wait begins anew: `now` in epoch ms. */
function jobOf(jobId: string, write: Write, priority: number, now: number): JobJson {
  return {
    id: jobId,
    name: 'send',
    data: JSON.stringify(write),
    opts: {
      attempts: write.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      backoff: { type: 'custom' },
      ...(priority > 0 && { priority }),
      jobId,
    },
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    timestamp: now,
  } as JobJson;
}

/** What the write was added with; the tombstone keeps it. */
async function priorityOf(reader: Reader, destination: string, jobId: string): Promise<number> {
  const text = await reader.client.hget(reader.queue(destination).toKey(jobId), 'opts');
  try {
    const opts: unknown = JSON.parse(text ?? '{}');
    return isRecord(opts) && Number.isInteger(opts.priority) ? Math.max(0, opts.priority as number) : 0;
  } catch {
    return 0;
  }
}
