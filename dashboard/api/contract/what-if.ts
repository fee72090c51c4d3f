// The recorded journals of dead letters against another retry policy.
import { z } from 'zod';
import { letterFilter } from './filter.ts';

export const whatIfRequest = z.object({
  filter: letterFilter.prefault({}),
  policy: z.object({
    maxAttempts: z.number().int().min(1).max(1000).optional(),
    baseMs: z.number().int().min(1).max(3_600_000).optional(),
    capMs: z.number().int().min(1).max(86_400_000).optional(),
    jitter: z.number().min(0).max(1).optional(),
  }),
});

export const whatIf = z.object({
  /** Letters looked at, and whether there are more than that. */
  examined: z.number(),
  more: z.boolean(),
  /** Those that another policy could change: they died exhausted. */
  eligible: z.number(),
  /** Whose next attempts would have fallen past the end of the outage that the journals of the destination show. */
  saved: z.number(),
  /** Of the saved and of those not saved, together. */
  extraCalls: z.number(),
  /** Whose outage the journals do not show the end of: not counted as saved. */
  unknown: z.number(),
  /** What the other policy's waits add up to, without jitter. */
  coversMs: z.number(),
  byGroup: z.array(
    z.object({
      destination: z.string(),
      code: z.string().optional(),
      eligible: z.number(),
      saved: z.number(),
      extraCalls: z.number(),
      unknown: z.number(),
    }),
  ),
  /** How it was reckoned, in words. */
  basis: z.string(),
});

export type WhatIfRequest = z.input<typeof whatIfRequest>;
export type WhatIf = z.output<typeof whatIf>;
