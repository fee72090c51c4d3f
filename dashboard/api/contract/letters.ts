// Dead letters as the API shows them: a row of the list, a group, one letter in full. Times are epoch ms.
import { z } from 'zod';
import { ACCEPT_DOUBLE_PHRASE } from '../../../core/bulk.ts';
import { DEAD_REASONS } from '../../../core/decide.ts';
import { VERDICTS } from '../../../core/verdict.ts';
import { destinationName, LETTER_STATES, letterFilter } from './filter.ts';

const at = z.number();

export const act = z.object({
  act: z.enum(['replay', 'probe', 'discard', 'restore']),
  at,
  by: z.string(),
  reason: z.string(),
  generation: z.number().optional(),
  newKey: z.object({ idempotencyKey: z.string(), jobId: z.string() }).optional(),
  edited: z.literal(true).optional(),
  doubleAccepted: z.literal(true).optional(),
  operation: z.string().optional().describe('the bulk operation that it belonged to'),
});

export const letterRow = z.object({
  id: z.string(),
  destination: z.string(),
  jobId: z.string(),
  state: z.enum(LETTER_STATES),
  deadAt: at,
  /** Missing fields: what stands there cannot be read, and `unreadable` says why. */
  unreadable: z.string().optional(),
  enqueuedAt: at.optional(),
  idempotencyKey: z.string().optional(),
  reason: z.enum(DEAD_REASONS).optional(),
  because: z.string().optional(),
  verdict: z.enum(VERDICTS).optional(),
  status: z.number().optional(),
  code: z.string().optional(),
  field: z.string().optional(),
  message: z.string().optional(),
  requestId: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  attempts: z.number().optional(),
  /** 0; each replay under the same key makes the next one. */
  generation: z.number().optional(),
  keyUsableUntil: at.optional(),
  keyExpiresAt: at.optional(),
  /** The last act, of a letter that somebody handled. */
  handled: act.optional(),
});

export const letterListQuery = letterFilter.extend({
  first: z.enum(['newest', 'oldest']).default('newest'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(5000).optional().describe('`next` of the page before'),
});

/** Longer than any id of a dead letter that Waybill makes. */
export const letterId = z.string().min(1).max(300);
export const letterParams = z.object({ destination: destinationName, id: letterId });

/** How finely deaths are counted over the time that is meant. */
export const groupQuery = letterFilter.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  slices: z.coerce.number().int().min(2).max(200).default(24).describe('of the sparklines'),
});
export const histogramQuery = letterFilter.extend({ slices: z.coerce.number().int().min(2).max(400).default(60) });

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export const exportQuery = letterFilter.extend({ format: z.enum(EXPORT_FORMATS).default('ndjson') });
export const BUNDLE_LIMIT = 1000;
export const bundleQuery = letterFilter.extend({
  limit: z.coerce.number().int().min(1).max(BUNDLE_LIMIT).default(100),
});

export const letterList = z.object({
  items: z.array(letterRow),
  /** Give it as `cursor` for the next page; missing on the last. */
  next: z.string().optional(),
  /** Of a bounded search: how many letters were looked at for this page. */
  scanned: z.number().optional(),
  /** When this was read. */
  now: at,
});

export const letterCount = z.object({
  count: z.number(),
  /** There may be more: the count is bounded where rows do not tell. */
  atLeast: z.boolean(),
  scanned: z.number().optional(),
  now: at,
});

export const group = z.object({
  destination: z.string(),
  code: z.string().optional(),
  field: z.string().optional(),
  count: z.number(),
  firstAt: at,
  lastAt: at,
  /** What the group's letters have in common, by share: which statuses, reasons and verdicts. */
  statuses: z.record(z.string(), z.number()),
  reasons: z.record(z.string(), z.number()),
  verdicts: z.record(z.string(), z.number()),
  /** Deaths by slice of time, the oldest first; see `sparkFrom` and `sparkStepMs` of the answer. */
  spark: z.array(z.number()),
  hint: z.string().optional(),
});

export const groupList = z.object({
  groups: z.array(group),
  total: z.number(),
  /** More groups than are listed. */
  more: z.boolean(),
  /** Letters in no group: there are too many codes to keep them apart, or an older version filed them (a reindex mends that). */
  other: z.number(),
  sparkFrom: at,
  sparkStepMs: z.number(),
  /** There may be more letters in them: the count is bounded where rows do not tell. */
  atLeast: z.boolean(),
  /** When the last letter died, handled ones included, where no open one is left. */
  lastDeadAt: at.optional(),
  now: at,
});

export const histogram = z.object({
  from: at,
  stepMs: z.number(),
  counts: z.array(z.number()),
  atLeast: z.boolean(),
});

/** What the rules say to a replay now. */
export const ruling = z.object({
  allowed: z.boolean(),
  refusal: z.string().optional(),
  because: z.string().optional(),
  advice: z.string().optional(),
  /** Allowed only with `acceptDouble`, which a person types. */
  needsAcceptDouble: z.boolean(),
  needsIgnoreExpiry: z.boolean(),
});

export const attempt = z.object({
  attempt: z.number(),
  at,
  durationMs: z.number(),
  outcome: z.enum(['response', 'not-sent', 'no-answer', 'blocked']),
  evidence: z.enum(['applied', 'not-applied', 'doubt', 'nothing']),
  disposition: z.enum(['delivered', 'retry', 'postpone', 'dead']),
  /** `422 VALIDATION_ERROR`, `ECONNRESET`. */
  answer: z.string(),
  status: z.number().optional(),
  code: z.string().optional(),
  requestId: z.string().optional(),
  replayed: z.boolean().optional(),
  message: z.string().optional(),
  /** Capped and redacted. */
  body: z.string().optional(),
  waitMs: z.number().optional(),
  /** "4.61 s = base 4000 + jitter 610; Retry-After 3 s was shorter". */
  waitTrace: z.string().optional(),
  because: z.string().optional(),
  /** Starts before it that left no record. */
  lost: z.number().optional(),
  worker: z.string().optional(),
});

/** A write as people may see it: what the destination's redaction rules name stands there as a mask. */
export const shownWrite = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  /** Text, byte for byte but for the masks. */
  body: z.string().optional(),
  /** JSON pointers of masked values in the body. */
  maskedBody: z.array(z.string()),
  maskedHeaders: z.array(z.string()),
  /** Why the body is not shown at all, where it is not. */
  hidden: z.string().optional(),
  idempotencyKey: z.string(),
  expiresAt: at.optional(),
  maxAttempts: z.number().optional(),
});

export const lineageEntry = z.object({
  id: z.string(),
  generation: z.number(),
  deadAt: at,
  state: z.enum(LETTER_STATES),
  reason: z.enum(DEAD_REASONS),
  verdict: z.enum(VERDICTS),
  code: z.string().optional(),
});

export const letterDetail = z.object({
  letter: letterRow,
  envelope: z
    .object({ code: z.string(), message: z.string().optional(), details: z.string().optional() })
    .optional()
    .describe('details is JSON text'),
  /** What to do about this code, of the codes that are known. */
  hint: z.string().optional(),
  verdictWords: z.string().optional(),
  verdictEvidence: z.string().optional(),
  journal: z
    .object({ attempts: z.array(attempt), postponed: z.number(), lastPostponed: attempt.optional(), lost: z.number() })
    .optional(),
  write: shownWrite.optional(),
  /** What stood in the queue where that is no write. */
  raw: z.string().optional(),
  key: z.object({ firstSentAt: at.optional(), usableUntil: at.optional(), expiresAt: at.optional() }),
  replay: z.object({ same: ruling, new: ruling }),
  acts: z.array(act),
  lineage: z.array(lineageEntry),
  /** The dead letter of another key that this write was replayed from. */
  origin: z.string().optional(),
  replacedBy: z.object({ idempotencyKey: z.string(), jobId: z.string() }).optional(),
  /** Where the write stands now: a replayed one may be delivered, or dead again. */
  writeState: z.string().optional(),
  /** Request ids of all attempts, the newest first. */
  requestIds: z.array(z.string()),
  curl: z.string().optional(),
  /** When retention takes it. */
  trimmedAt: at.optional(),
  now: at,
});

const why = z.string().trim().min(1).max(1000).describe('why; stands in the audit');
const acceptDouble = z
  .literal(ACCEPT_DOUBLE_PHRASE)
  .optional()
  .describe(`the words "${ACCEPT_DOUBLE_PHRASE}", typed by a person`);

export const replayRequest = z.strictObject({
  reason: why,
  /** True for a new UUID, or a key. Without it the write keeps its own. */
  newKey: z.union([z.literal(true), z.string().min(1).max(255)]).optional(),
  acceptDouble,
  ignoreExpiry: z.boolean().optional(),
  /** Another body, path or headers: needs a new key. Masks in it stand for the values that they hide. */
  edit: z
    .strictObject({
      path: z.string().optional(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.string().optional().describe('JSON text, kept byte for byte'),
    })
    .optional(),
});
export const replayAnswer = z.object({
  letter: z.string(),
  jobId: z.string(),
  idempotencyKey: z.string(),
  generation: z.number(),
  doubleAccepted: z.boolean(),
  advice: z.string().optional(),
});
export const actRequest = z.strictObject({ reason: why });
export const actAnswer = z.object(act.shape);

export type LetterRow = z.output<typeof letterRow>;
export type LetterList = z.output<typeof letterList>;
export type LetterCount = z.output<typeof letterCount>;
export type Group = z.output<typeof group>;
export type GroupList = z.output<typeof groupList>;
export type Histogram = z.output<typeof histogram>;
export type LetterDetail = z.output<typeof letterDetail>;
export type ShownAttempt = z.output<typeof attempt>;
export type ShownWrite = z.output<typeof shownWrite>;
export type Ruling = z.output<typeof ruling>;
export type ReplayRequestBody = z.input<typeof replayRequest>;
export type ReplayAnswer = z.output<typeof replayAnswer>;
export type ShownAct = z.output<typeof act>;
