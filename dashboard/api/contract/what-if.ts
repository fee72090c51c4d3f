// The recorded journals of dead letters against another retry policy.
import { z } from 'zod';
import { letterFilter } from './filter.ts';

export const whatIfRequest = z.strictObject({
  filter: letterFilter.prefault({}),
  policy: z.strictObject({
    maxAttempts: z.number().int().min(1).max(1000).optional(),
    baseMs: z.number().int().min(1).max(3_600_000).optional(),
    capMs: z.number().int().min(1).max(86_400_000).optional(),
    jitter: z.number().min(0).max(1).optional(),
  }),
});

export const whatIf = z.object({
  /** Letters that are meant, and whether there may be more than those that were looked into. */
  examined: z.number(),
  more: z.boolean(),
  /** Those that another policy could change: they died exhausted. */
  eligible: z.number(),
  /** With an attempt that falls where the records show a success of the same group, or of the destination. */
  saved: z.number(),
  /** Of the saved and of those not saved, together; negative where the other policy makes fewer. */
  extraCalls: z.number(),
  /** Of these, what the saved ones cost. */
  extraCallsOfSaved: z.number(),
  /** Whose further attempts the records say nothing about: not counted as saved. */
  unknown: z.number(),
  /** What the other policy's waits add up to, without jitter; of several destinations the least. */
  coversMs: z.number(),
  byGroup: z.array(
    z.object({
      destination: z.string(),
      code: z.string().optional(),
      eligible: z.number(),
      saved: z.number(),
      extraCalls: z.number(),
      extraCallsOfSaved: z.number(),
      unknown: z.number(),
    }),
  ),
  /** Kept deliveries that took more attempts than the other policy allows: they would be dead. Counted in no other number. */
  wouldHaveDied: z
    .object({ deliveries: z.number(), savedCalls: z.number(), examined: z.number(), more: z.boolean() })
    .optional(),
  /** How it was reckoned, in words. */
  basis: z.string(),
});

export type WhatIfRequest = z.input<typeof whatIfRequest>;
export type WhatIf = z.output<typeof whatIf>;
