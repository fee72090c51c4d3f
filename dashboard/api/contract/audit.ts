// Who did what to dead letters, and when; and where any write stands. Times are epoch ms.
import { z } from 'zod';
import { VERDICTS } from '../../../core/verdict.ts';
import { destinationName } from './filter.ts';
import { act, attempt, EXPORT_FORMATS } from './letters.ts';

const at = z.number();

export const auditQuery = z.strictObject({
  destination: destinationName.optional(),
  by: z.string().min(1).max(200).optional(),
  act: z.string().min(1).max(40).optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const auditExportQuery = auditQuery
  .omit({ cursor: true, limit: true })
  .extend({ format: z.enum(EXPORT_FORMATS).default('ndjson') });
export const auditEntry = z.object({
  destination: z.string(),
  entry: z.string(),
  /** replay, probe, discard, restore, trim; operation acts (`operation-created`, …), `pause` and `resume` of a destination. */
  act: z.string(),
  at,
  by: z.string(),
  reason: z.string().optional(),
  letter: z.string().optional(),
  jobId: z.string().optional(),
  verdict: z.enum(VERDICTS).optional(),
  generation: z.number().optional(),
  newKey: z.object({ idempotencyKey: z.string(), jobId: z.string() }).optional(),
  edited: z.literal(true).optional(),
  doubleAccepted: z.literal(true).optional(),
  operation: z.string().optional(),
  /** Of trim, and of operations. */
  count: z.number().optional(),
  /** The filter of an operation, as a query string. */
  filter: z.string().optional(),
});
export const auditList = z.object({ entries: z.array(auditEntry), next: z.string().optional(), now: at });

export const pauseAnswer = z.object({
  destination: z.string(),
  paused: z.boolean(),
  /** False where it was so already. */
  changed: z.boolean(),
  /** Who paused it last, or let it go on, where the audit tells. */
  last: z.object({ act: z.enum(['pause', 'resume']), at, by: z.string(), reason: z.string() }).optional(),
});

export const findQuery = z.strictObject({ id: z.string().min(1).max(300), destination: destinationName.optional() });
export const foundWrite = z.object({
  destination: z.string(),
  jobId: z.string(),
  idempotencyKey: z.string().optional(),
  state: z.enum([
    'scheduled',
    'waiting',
    'sending',
    'retrying',
    'postponed',
    'delivered',
    'dead',
    'discarded',
    'replaced',
  ]),
  verdict: z.enum(VERDICTS),
  method: z.string().optional(),
  path: z.string().optional(),
  enqueuedAt: at,
  nextAttemptAt: at.optional(),
  requestIds: z.array(z.string()),
  attempts: z.array(attempt),
  delivery: z
    .object({ status: z.number(), requestId: z.string().optional(), deliveredAt: at, attempts: z.number() })
    .optional(),
  /** The dead letter to look at. */
  letter: z.string().optional(),
  replacedBy: z.object({ idempotencyKey: z.string(), jobId: z.string() }).optional(),
  origin: z.string().optional(),
  acts: z.array(act),
});
export const found = z.object({
  writes: z.array(foundWrite),
  /** Delivered writes that were gone through for a request_id. */
  scanned: z.number(),
  /** Not all of them: there may be one. */
  more: z.boolean(),
  now: at,
});

export type PauseAnswer = z.output<typeof pauseAnswer>;
export type AuditEntryShown = z.output<typeof auditEntry>;
export type AuditList = z.output<typeof auditList>;
export type FoundWrite = z.output<typeof foundWrite>;
export type FoundAnswer = z.output<typeof found>;
