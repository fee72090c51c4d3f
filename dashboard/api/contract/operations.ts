// Bulk replay, discard and restore as a resource: planned, created, watched, paused, cancelled. An operation belongs to
// one destination. Times are epoch ms.
import { z } from 'zod';
import {
  ACCEPT_DOUBLE_PHRASE,
  DEFAULT_RATE,
  DEFAULT_STOP_SHARE,
  MAX_NAMED,
  MAX_RATE,
  MIN_RATE,
} from '../../../core/bulk.ts';
import { destinationName, letterFilter } from './filter.ts';
import { letterRow } from './letters.ts';

const at = z.number();
export const OPERATION_ACTS = ['replay', 'discard', 'restore'] as const;
export const OPERATION_STATES = ['preparing', 'running', 'paused', 'cancelled', 'done'] as const;

const target = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(300)).min(1).max(MAX_NAMED) }),
  z.strictObject({ filter: letterFilter.omit({ destination: true, state: true }) }),
]);

export const planRequest = z.strictObject({
  act: z.enum(OPERATION_ACTS),
  destination: destinationName,
  target,
  /** Each item gets a key of its own. */
  newKey: z.boolean().default(false),
  acceptDouble: z.boolean().default(false),
  ignoreExpiry: z.boolean().default(false),
});

export const plan = z.object({
  act: z.enum(OPERATION_ACTS),
  destination: z.string(),
  /** How many letters are meant. */
  count: z.number(),
  atLeast: z.boolean(),
  /** How many of them the rules were asked about, the oldest first. */
  examined: z.number(),
  allowed: z.number(),
  refused: z.array(
    z.object({ refusal: z.string(), because: z.string(), count: z.number(), sample: z.array(z.string()) }),
  ),
  /** How many may be applied twice. */
  doubles: z.number(),
  advice: z.array(z.object({ text: z.string(), count: z.number() })),
  verdicts: z.record(z.string(), z.number()),
  /** The first of the keys that can be used no more, and when. */
  firstKeyEndsAt: at.optional(),
  sample: z.array(letterRow),
  /** What died at this time or after is not meant. Give it back as `before` on creation. */
  frozenAt: at,
  confirm: z.object({
    /** To be typed, where there are many. */
    count: z.number().optional(),
    phrase: z.literal(ACCEPT_DOUBLE_PHRASE).optional(),
  }),
});

export const createRequest = planRequest.extend({
  /** Of who asks: the same id again is answered with the operation that stands there. */
  id: z.uuid().optional(),
  frozenAt: at,
  reason: z.string().trim().min(1).max(1000),
  /** Items a second. */
  rate: z.number().min(MIN_RATE).max(MAX_RATE).default(DEFAULT_RATE),
  /** `canary` does 1, then 10 %, then the rest, and looks at what became of each step first. Of a replay. */
  steps: z.enum(['canary', 'all']).default('all'),
  /** Pauses itself when more than this share of the replayed writes that have ended is dead again; 1 never does. */
  stopShare: z.number().min(0).max(1).default(DEFAULT_STOP_SHARE),
  confirm: z
    .strictObject({ count: z.number().int().optional(), phrase: z.literal(ACCEPT_DOUBLE_PHRASE).optional() })
    .default({}),
});

/** Of an operation, as it stands in Redis. */
const filterShown = z.object({
  ...letterFilter.omit({ destination: true, state: true }).shape,
  since: at.optional(),
  before: at.optional(),
});

export const operation = z.object({
  id: z.string(),
  destination: z.string(),
  act: z.enum(OPERATION_ACTS),
  by: z.string(),
  reason: z.string(),
  state: z.enum(OPERATION_STATES),
  /** Of a paused one: who or what paused it, in words. */
  pausedBecause: z.string().optional(),
  /** The letters that were meant, as a filter; missing where they were named. */
  filter: filterShown.optional(),
  newKey: z.boolean(),
  acceptDouble: z.boolean(),
  ignoreExpiry: z.boolean(),
  rate: z.number(),
  steps: z.enum(['canary', 'all']),
  stopShare: z.number(),
  total: z.number(),
  /** By result; their sum is how far it has come. */
  counts: z.object({
    done: z.number(),
    refused: z.number(),
    /** Somebody else was first. */
    handled: z.number(),
    /** Gone: trimmed, or removed. */
    missing: z.number(),
    failed: z.number(),
  }),
  /** What became of the replayed writes. */
  after: z.object({ delivered: z.number(), dead: z.number(), underway: z.number() }),
  /** Of canary steps: which one, of how many, and the item that it ends before; `waiting` for its writes to end. */
  step: z.object({ n: z.number(), of: z.number(), until: z.number(), waiting: z.boolean() }).optional(),
  createdAt: at,
  endedAt: at.optional(),
});

export const operationParams = z.object({ destination: destinationName, id: z.string().min(1).max(100) });
export const operationsQuery = z.strictObject({
  destination: destinationName.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});
export const operationList = z.object({ operations: z.array(operation), now: at });

export const operationItem = z.object({
  index: z.number(),
  letter: z.string(),
  result: z.enum(['pending', 'done', 'refused', 'handled', 'missing', 'failed']),
  /** Why not, in words. */
  message: z.string().optional(),
  at: at.optional(),
  jobId: z.string().optional(),
  idempotencyKey: z.string().optional(),
  /** What became of a replayed write. */
  end: z.enum(['underway', 'delivered', 'dead']).optional(),
  endLetter: z.string().optional(),
});
export const operationItemsQuery = z.strictObject({
  result: z.enum(['pending', 'done', 'refused', 'handled', 'missing', 'failed']).optional(),
  cursor: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export const operationItems = z.object({ items: z.array(operationItem), next: z.number().optional() });

export type PlanRequest = z.output<typeof planRequest>;
export type Plan = z.output<typeof plan>;
export type CreateRequest = z.output<typeof createRequest>;
export type Operation = z.output<typeof operation>;
export type OperationItem = z.output<typeof operationItem>;
export type OperationItems = z.output<typeof operationItems>;
export type OperationList = z.output<typeof operationList>;
