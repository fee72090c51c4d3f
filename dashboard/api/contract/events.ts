// What the live stream says: that something changed, never what. The page then asks for what it shows.
import { z } from 'zod';

/**
 * The `changed` event. An `away` event says that Redis does not answer; the next `changed` comes when it does. `ping` events
 * keep the connection open and say nothing.
 */
export const changed = z.object({
  /** By destination: open dead letters, when the newest one died, and the newest audit entry. */
  destinations: z.record(
    z.string(),
    z.object({ open: z.number(), newestAt: z.number().optional(), audit: z.string().optional() }),
  ),
  /** By id: a mark that differs when an operation does. */
  operations: z.record(z.string(), z.string()),
  now: z.number(),
});
export type Changed = z.output<typeof changed>;
