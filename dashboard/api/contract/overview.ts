// What goes on at each destination, minute by minute, and what Redis holds. Times are epoch ms.
import { z } from 'zod';

const at = z.number();

export const minute = z.object({
  at,
  delivered: z.number(),
  /** Attempts that failed and are tried again. */
  retried: z.number(),
  dead: z.number(),
  /** Of all attempts, at most 9 % off; missing in a minute without one. */
  p50Ms: z.number().optional(),
  p95Ms: z.number().optional(),
  p99Ms: z.number().optional(),
});

export const destinationOverview = z.object({
  destination: z.string(),
  configured: z.boolean(),
  workers: z.number(),
  paused: z.boolean(),
  /** Who paused it, and why; missing where that was done by a tool that writes nothing down. */
  pausedBy: z.object({ by: z.string(), reason: z.string(), at }).optional(),
  waiting: z.number(),
  oldestWaitingMs: z.number().optional(),
  active: z.number(),
  scheduled: z.number(),
  retrying: z.number(),
  /** Scheduled, retrying and postponed ones. Where they are more than 5,000, the two numbers above are of the next 5,000. */
  delayed: z.number(),
  /** Open dead letters. */
  dead: z.number(),
  oldestDeadMs: z.number().optional(),
  replayed: z.number(),
  discarded: z.number(),
  delivered: z.number(),
  /** The oldest first, one a minute, also those in which nothing happened. */
  minutes: z.array(minute),
  retention: z.object({
    deadMs: z.number().optional(),
    handledMs: z.number().optional(),
    trimmedAt: at.optional(),
    trimmedDead: z.number(),
    /** When retention takes the oldest open letter. */
    nextTrimAt: at.optional(),
    /** Of the open ones, drawn from a sample. */
    deadBytes: z.number().optional(),
    /** Of the delivered tombstones. */
    tombstoneBytes: z.number().optional(),
  }),
});

export const overviewQuery = z.strictObject({ minutes: z.coerce.number().int().min(5).max(1440).default(60) });
export const overview = z.object({
  destinations: z.array(destinationOverview),
  redis: z.object({
    version: z.string().optional(),
    usedBytes: z.number().optional(),
    maxBytes: z.number().optional(),
  }),
  now: at,
});

export type Minute = z.output<typeof minute>;
export type DestinationOverview = z.output<typeof destinationOverview>;
export type Overview = z.output<typeof overview>;
