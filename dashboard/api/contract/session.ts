// Who is at the page, and what he may do. The server enforces it; the page hides and explains.
import { z } from 'zod';
import { type Role, ROLES } from '../../../core/role.ts';

export type { Role };

export const session = z.object({
  user: z.object({ name: z.string(), role: z.enum(ROLES) }).optional(),
  /** How one signs in; `none` where the page is open to whoever reaches it, `outside` where a proxy or the host says it. */
  signIn: z.enum(['token', 'outside', 'none']),
  /** Sent back as x-csrf-token with every write. */
  csrf: z.string().optional(),
  environment: z.string().optional(),
  version: z.string(),
  destinations: z.array(z.object({ name: z.string(), configured: z.boolean() })),
  now: z.number(),
});
export const signInRequest = z.strictObject({ token: z.string().min(1).max(500) });

/** The contract's own envelope, as every error is answered. */
export const errorEnvelope = z.object({
  code: z.string(),
  message: z.string(),
  request_id: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type Session = z.output<typeof session>;
export type ErrorEnvelope = z.output<typeof errorEnvelope>;
