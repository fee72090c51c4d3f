// A destination at a glance: who serves it, what stands where and since when, and what the kept ones weigh.
import { prefixOf, retentionKey, rowKeys } from './keys.ts';
import { countLetters } from './dead-letters.ts';
import { readDepth } from './depth.ts';
import type { Reader } from './reader.ts';
import { unlessRefused } from './refused.ts';

export interface DestinationStatus {
  destination: string;
  /** Worker connections; 0 shows a typo in a name, or a worker that is not there. */
  workers: number;
  paused: boolean;
  waiting: number;
  /** How long ago the waiting write that is next was added; missing while none waits. */
  oldestWaitingMs?: number;
  active: number;
  /** All that wait for a time to come: scheduled, retrying and postponed. */
  delayed: number;
  /** Of the delayed ones that were looked at: never started. */
  scheduled: number;
  /** Of the delayed ones that were looked at: started before, so that they retry or are postponed. */
  retrying: number;
  /** Delayed ones that were looked at, those that are due first. */
  delayedLookedAt: number;
  /** Tombstones that are kept. */
  delivered: number;
  /** Open dead letters. */
  dead: number;
  oldestDeadMs?: number;
  /** Handled dead letters that are kept. */
  replayed: number;
  discarded: number;
  /** What the delivered tombstones weigh, drawn from a sample; missing where Redis does not tell. */
  tombstoneBytes?: number;
  /** Deliveries of the last `deliveredLatelyMs`. */
  deliveredLately: number;
  deliveredLatelyMs: number;
  /** When retention last went through, epoch ms; missing before its first round. */
  trimmedAt?: number;
  /** Open dead letters that retention has taken away so far. */
  trimmedDead: number;
}

const MAX_DELAYED = 5000;
const SLICE = 500;
const MAX_SAMPLE = 50;
const LATELY_MS = 3_600_000;

/** @returns one row per destination, sorted by name */
export async function status(reader: Reader, only?: string): Promise<DestinationStatus[]> {
  const rows: DestinationStatus[] = [];
  for (const destination of await reader.destinations(only)) rows.push(await statusOf(reader, destination));
  return rows;
}

export async function statusOf(reader: Reader, destination: string): Promise<DestinationStatus> {
  const { client } = reader;
  const now = Date.now();
  const base = `${prefixOf(destination)}:${destination}`;
  const depth = await readDepth(client, destination);
  // An ACL may allow reading and not MEMORY.
  const weighed = await unlessRefused(() => weigh(reader, `${base}:completed`, base, depth.delivered));
  const [, oldestDeadAt] = await client.zrange(rowKeys(destination).byTime, '0', '0', 'WITHSCORES');
  const { at, trimmed } = await client.hgetall(retentionKey(destination));
  return {
    destination,
    workers: await reader.queue(destination).getWorkersCount(),
    paused: await reader.queue(destination).isPaused(),
    waiting: depth.waiting,
    ...(depth.waiting > 0 && { oldestWaitingMs: depth.oldestWaitingMs }),
    active: depth.active,
    delayed: depth.delayed,
    ...(await sortDelayed(reader, base)),
    delivered: depth.delivered,
    dead: depth.dead,
    ...(oldestDeadAt !== undefined && { oldestDeadMs: Math.max(0, now - Number(oldestDeadAt)) }),
    replayed: (await countLetters(reader, destination, { state: 'replayed' })).count,
    discarded: (await countLetters(reader, destination, { state: 'discarded' })).count,
    ...('value' in weighed && { tombstoneBytes: weighed.value }),
    deliveredLately: await client.zcount(`${base}:completed`, String(now - LATELY_MS), '+inf'),
    deliveredLatelyMs: LATELY_MS,
    ...(at !== undefined && { trimmedAt: Number(at) }),
    trimmedDead: Number(trimmed ?? 0),
  };
}

/** BullMQ counts the starts of a job in `ats`. */
async function sortDelayed({ client }: Reader, base: string) {
  const ids = await client.zrange(`${base}:delayed`, '0', String(MAX_DELAYED - 1));
  let retrying = 0;
  for (let from = 0; from < ids.length; from += SLICE) {
    const pipeline = client.pipeline();
    for (const id of ids.slice(from, from + SLICE)) pipeline.hget(`${base}:${id}`, 'ats');
    for (const [error, starts] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      if (Number(starts) > 0) retrying += 1;
    }
  }
  return { scheduled: ids.length - retrying, retrying, delayedLookedAt: ids.length };
}

/**
 * A sorted set of jobs, and as many times a job as there are: the mean of some, evenly spaced in time.
 * @param base of the jobs' keys
 */
export async function weigh({ client }: Reader, set: string, base: string, count: number): Promise<number> {
  if (count === 0) return 0;
  const pick = client.pipeline();
  const sample = Math.min(count, MAX_SAMPLE);
  for (let i = 0; i < sample; i++) {
    const rank = String(Math.floor((i * count) / sample));
    pick.zrange(set, rank, rank);
  }
  // The driver sees no key in MEMORY: another command leads it to the set's node of a Cluster.
  const weighing = client.pipeline().zcard(set).memory('USAGE', set);
  for (const [error, ids] of (await pick.exec()) ?? []) {
    if (error) throw error;
    for (const id of ids as string[]) weighing.memory('USAGE', `${base}:${id}`);
  }
  const [, ofSet = 0, ...ofEach] = ((await weighing.exec()) ?? []).map(([error, bytes]) => {
    if (error) throw error;
    return Number(bytes ?? 0);
  });
  const weights = ofEach.filter((bytes) => bytes > 0);
  const mean = weights.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, weights.length);
  return Math.round(ofSet + mean * count);
}
