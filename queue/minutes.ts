// What went on at a destination, a hash per minute that every worker adds to: deliveries, retries, deaths, and how long
// attempts took. For people who look; nothing is decided by it (docs/decisions/0017).
import type { Cluster, Redis } from 'ioredis';
import { type DurationCounts, quantileMs } from '../core/duration-buckets.ts';
import { minuteKey } from './keys.ts';
import type { Source } from './dead-letters.ts';
import type { Script } from './scripts/compose.ts';

/** A minute of one destination. */
export interface Minute {
  /** Its start, epoch ms. */
  at: number;
  delivered: number;
  /** Attempts that failed and are tried again. */
  retried: number;
  dead: number;
  /** Of all attempts, at most 9 % off; missing in a minute without one. */
  p50Ms?: number;
  p95Ms?: number;
  p99Ms?: number;
}

/** What one worker adds to a minute. */
export interface MinuteCounts {
  delivered: number;
  retried: number;
  dead: number;
  durations: DurationCounts;
}

export const MINUTE_MS = 60_000;
/** A day, and an hour for clocks and for a worker that was cut off from Redis. */
const KEEP_MS = 25 * 3_600_000;
/** Of a day, one answer holds them all. */
export const MAX_MINUTES = 1440;
/** Minutes that are read in one pipeline. */
const SLICE = 480;

const FIELDS = { delivered: 'd', retried: 'r', dead: 'x' } as const;
const NAMES = ['delivered', 'retried', 'dead'] as const;

export const emptyMinute = (): MinuteCounts => ({ delivered: 0, retried: 0, dead: 0, durations: new Map() });

/**
 * Adds to the counts of one minute, all of them or none.
 * KEYS: the minute.
 * ARGV: how long it is kept (ms), then fields and what is added to each, in turn.
 */
const RECORD: Script = {
  name: 'waybill:minute:1',
  keys: 1,
  lua: `
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`,
};

/**
 * Adds what a worker has counted.
 * @param at the minute's start, epoch ms
 * @throws what Redis refuses with; with a worker's client it waits for a Redis that is away
 */
export async function recordMinute(
  client: Redis | Cluster,
  destination: string,
  at: number,
  { durations, ...counts }: MinuteCounts,
): Promise<void> {
  const commands = client as unknown as Record<
    string,
    ((...args: (string | number)[]) => Promise<unknown>) | undefined
  >;
  if (!commands[RECORD.name]) client.defineCommand(RECORD.name, { numberOfKeys: RECORD.keys, lua: RECORD.lua });
  const named = NAMES.map((name) => [FIELDS[name], counts[name]] as const);
  const added = [...named, ...durations].filter(([, count]) => count > 0);
  await commands[RECORD.name]?.(minuteKey(destination, at / MINUTE_MS), KEEP_MS, ...added.flat());
}

/**
 * The last minutes of a destination, the oldest first and the present one last, also those in which nothing happened.
 * @param minutes how many, up to a day's
 * @param now epoch ms
 */
export async function readMinutes(
  { client }: Source,
  destination: string,
  { minutes, now }: { minutes: number; now: number },
): Promise<Minute[]> {
  const last = Math.floor(now / MINUTE_MS);
  const wanted = Array.from({ length: Math.min(minutes, MAX_MINUTES) }, (_, i) => last - i).toReversed();
  const read: Minute[] = [];
  for (let from = 0; from < wanted.length; from += SLICE) {
    const slice = wanted.slice(from, from + SLICE);
    const pipeline = client.pipeline();
    for (const minute of slice) pipeline.hgetall(minuteKey(destination, minute));
    const replies = (await pipeline.exec()) ?? [];
    slice.forEach((minute, i) => {
      const [error, fields] = replies[i] ?? [];
      if (error) throw error;
      read.push(toMinute(minute * MINUTE_MS, (fields ?? {}) as Record<string, string>));
    });
  }
  return read;
}

function toMinute(at: number, fields: Record<string, string>): Minute {
  const durations: DurationCounts = new Map();
  for (const [field, count] of Object.entries(fields))
    if (/^\d+$/.test(field)) durations.set(Number(field), Number(count));
  const count = (field: string): number => Number(fields[field] ?? 0);
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => quantileMs(durations, share));
  return {
    at,
    delivered: count(FIELDS.delivered),
    retried: count(FIELDS.retried),
    dead: count(FIELDS.dead),
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p95Ms !== undefined && { p95Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
  };
}
