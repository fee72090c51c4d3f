// Waiting for a write's end, by looking: state, not events, so that a producer that was restarted waits as well as the
// one that added it.
import { setTimeout } from 'node:timers/promises';
import { WaybillError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import { getLetter } from './dead-letters.ts';
import { type Ending, endingOfDead, endingOfDelivered, readJob } from './ending.ts';
import { asTombstone } from './tombstone.ts';
import { answerWithin, isRefusal, queueRefused, unreachable } from './unavailable.ts';
import { within } from './within.ts';

/** Between two looks: short at first, since most writes are delivered at once. */
const FIRST_LOOK_MS = 10;
const LOOK_EVERY_MS = 500;
/** One look is a read or two; a connection that swallows it is replaced. */
const ANSWER_WITHIN_MS = 2000;

export const WAIT_MS = 30_000;

/**
 * @param limitMs how long to wait; 0 looks once
 * @throws WaybillError NOT_FOUND when no such write stands there · WAIT_TIMEOUT when no end was seen in time ·
 *   QUEUE_UNAVAILABLE when Redis was away at the end of that time · QUEUE_REFUSED when Redis refuses
 */
export async function waitForEnding(
  connection: Connection,
  destination: string,
  jobId: string,
  limitMs: number,
): Promise<Ending> {
  const { client, label } = connection;
  const until = Date.now() + limitMs;
  /** What stands in the way since Redis last answered. */
  let trouble: unknown;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS)) {
    const looking = answerWithin(ANSWER_WITHIN_MS, connection, () => look(connection, destination, jobId));
    let ending: Awaited<typeof looking> | undefined;
    try {
      // A caller's short time is no reason to replace the connection: adds may be under way on it.
      ending = await (limitMs === 0 ? looking : within(Math.max(1, until - Date.now()), looking));
      if (ending !== undefined) trouble = undefined;
      else if (client.status !== 'ready') trouble ??= new Error(connection.trouble ?? 'not connected');
    } catch (error) {
      if (isRefusal(error)) throw queueRefused(label, `to tell of write ${jobId}`, error.message);
      trouble = error;
    }
    if (typeof ending === 'object') return ending;
    if (ending === 'unknown') {
      const message = `no write ${jobId} at ${destination}: it was never added, or retention has taken it away`;
      throw new WaybillError('NOT_FOUND', message);
    }
    if (Date.now() + pauseMs >= until) {
      if (trouble !== undefined) throw unreachable(label, trouble);
      const message = `no end of write ${jobId} at ${destination} was seen within ${limitMs} ms; it can be waited for again`;
      throw new WaybillError('WAIT_TIMEOUT', message);
    }
    await setTimeout(pauseMs);
  }
}

async function look(
  { client }: Pick<Connection, 'client'>,
  destination: string,
  jobId: string,
): Promise<Ending | 'pending' | 'unknown'> {
  const job = await readJob(client, destination, jobId);
  if (!job) return 'unknown';
  const tombstone = asTombstone(job.data);
  if (!tombstone) return 'pending';
  if (tombstone.settled === 'delivered') return endingOfDelivered(destination, jobId, tombstone, job.progress);
  const letter = await getLetter({ client }, destination, tombstone.letter);
  if (!letter) return 'unknown';
  if (letter.state !== 'replayed') return endingOfDead(letter);
  // Replayed since its tombstone was read; or under a new key, whose end is this write's end.
  const newKey = letter.acts.at(-1)?.newKey;
  return newKey ? look({ client }, destination, newKey.jobId) : 'pending';
}
