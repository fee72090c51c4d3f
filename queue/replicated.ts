// What is asked of Redis together with adds, when they are to be answered only once replicas have them; and what is said
// when too few have. WAIT counts what its own connection has written: hence all of it in one pipeline, which the driver
// sends over one connection, on a Cluster too, and never resumes over another.
import { createHash } from 'node:crypto';
import type { ChainableCommander } from 'ioredis';
import type { WaitForReplicas } from '../core/redis-settings.ts';
import { WaybillError } from '../core/errors.ts';
import type { Script } from './scripts/compose.ts';
import { isRefusal } from './unavailable.ts';

/**
 * Replies on which the driver asks in another way: a script that Redis has forgotten, a slot that is elsewhere. In a
 * pipeline with WAIT it cannot, or would after the WAIT.
 */
const ANOTHER_WAY = /^(NOSCRIPT|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/;

export const isForAnotherWay = (reply: unknown): boolean => reply instanceof Error && ANOTHER_WAY.test(reply.message);

const hashes = new WeakMap<Script, string>();

function hashOf(script: Script): string {
  let hash = hashes.get(script);
  if (hash === undefined) hashes.set(script, (hash = createHash('sha1').update(script.lua).digest('hex')));
  return hash;
}

/** By its hash alone: a driver that knows the script would send it again by itself, behind the WAIT. */
export function runByHash(pipeline: ChainableCommander, script: Script, args: readonly unknown[]): void {
  pipeline.evalsha(hashOf(script), script.keys, ...(args as (string | Buffer | number)[]));
}

/**
 * Sends what the pipeline holds, and WAIT behind it.
 * @param key is written before WAIT, so that it waits for something: an add that finds a duplicate writes nothing, and
 *   what stands there may not have reached a replica yet. All that the primary wrote before reaches them before this.
 * @returns the replies, and how many replicas have all of it; an error in place of the number where nobody could tell
 */
export async function sendAndWait(
  pipeline: ChainableCommander,
  key: string,
  { count, timeoutMs }: WaitForReplicas,
): Promise<{ replies: unknown[]; replicas: number | Error }> {
  pipeline.incr(key);
  pipeline.wait(count, timeoutMs);
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? reply);
  const [written, replicas] = replies.splice(-2);
  if (written instanceof Error) return { replies, replicas: written };
  if (replicas instanceof Error) return { replies, replicas };
  return { replies, replicas: Number(replicas) };
}

/**
 * What an add() throws whose write is stored, and not where it was asked for.
 * @param wait its `timeoutMs` is how long was waited in the end
 */
export function notReplicated(
  label: string,
  key: string,
  { count, timeoutMs }: WaitForReplicas,
  replicas: number | Error,
): WaybillError {
  const stored = `The write ${JSON.stringify(key)} is stored at the primary of Redis at ${label}`;
  if (isRefusal(replicas) && !isForAnotherWay(replicas)) {
    const message = `${stored}, but Redis refuses to tell whether replicas have it (${replicas.message.slice(0, 200)}). Adding it again changes nothing until the user may ask: give it +wait, beside the other rules of docs/redis.md.`;
    return new WaybillError('NOT_REPLICATED', message);
  }
  const had =
    typeof replicas === 'number'
      ? `${replicas} of the ${count} replica(s) asked for had it within ${timeoutMs} ms`
      : `it is not known how many of the ${count} replica(s) asked for have it (${replicas.message.slice(0, 200)})`;
  return new WaybillError(
    'NOT_REPLICATED',
    `${stored}, but ${had}. A failover may lose it: add it again with the same idempotencyKey.`,
  );
}

/** What an add() throws that was left out because of those before it. @param why a clause */
export function notTried(label: string, key: string, why: string): WaybillError {
  const message = `The write ${JSON.stringify(key)} was not sent to Redis at ${label}, and nothing was stored: ${why}. Add it again with the same idempotencyKey.`;
  return new WaybillError('QUEUE_UNAVAILABLE', message);
}
