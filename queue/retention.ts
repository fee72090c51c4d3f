// Retention: what is kept, for how long, and the round that takes away the rest. Every worker makes rounds; the step in
// Redis lets one of them at a time do it. Nothing that Waybill writes grows without a bound of age or count.
import { setTimeout } from 'node:timers/promises';
import type { Cursors, Cuts, Trims } from './acting-backend.ts';
import type { WaybillBackend } from './backend.ts';

export interface RetentionOptions {
  /** A delivered write's tombstone, from its delivery; at least as long as the API keeps its key. */
  deliveredMs: number;
  /** An open dead letter, from its death. */
  deadMs: number;
  /** How many open dead letters may stand; the oldest go first. */
  deadMax: number;
  /** A replayed or discarded dead letter, from the act. */
  handledMs: number;
  /** An entry of the audit stream. */
  auditMs: number;
}

export interface Rounds {
  backend: WaybillBackend;
  retention: RetentionOptions;
  /** Between two rounds. */
  intervalMs: number;
  /** Told of rounds that took open dead letters away. */
  onTrimmed: (trims: Trims) => void;
  onError: (error: Error) => void;
}

/** What one script takes away at most, so that no other command waits long for it. */
const SLICE = 200;
/** Rows that one round looks at; a million of them are gone through in about a day of rounds. */
const SCRUB_SLICE = 500;
/** Slices that one round takes away at most. */
const MAX_SLICES = 500;

/** Makes rounds until it is stopped. */
export function keepRetention({ backend, retention, intervalMs, onTrimmed, onError }: Rounds): { stop: () => void } {
  const stopped = new AbortController();
  let cursors: Cursors = START;
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // Apart from each other, or all workers of a deployment come at once.
      await setTimeout(intervalMs * (0.5 + Math.random() / 2), undefined, { signal: stopped.signal, ref: false });
      try {
        const trims = await round(backend, retention, intervalMs / 2, () => stopped.signal.aborted);
        if (!trims) continue;
        if (trims.open > 0) onTrimmed(trims);
        cursors = next((await backend.scrub(cursors, SCRUB_SLICE)).cursors);
      } catch (error) {
        if (!stopped.signal.aborted) onError(error as Error);
      }
    }
  };
  run().catch(() => {});
  return { stop: () => stopped.abort() };
}

/**
 * Takes away everything that is past its time, up to a bound.
 * @param pauseMs does nothing when another worker's round is less than this ago
 */
export async function round(
  backend: WaybillBackend,
  retention: RetentionOptions,
  pauseMs: number,
  stopped: () => boolean = () => false,
): Promise<Trims | undefined> {
  const total = { open: 0, handled: 0, delivered: 0 };
  for (let slices = 0; slices < MAX_SLICES && !stopped(); slices++) {
    const now = Date.now();
    const trims = await backend.trim(cutsOf(retention, now), SLICE, slices === 0 ? Math.floor(pauseMs) : 0, now);
    if (!trims) return undefined;
    total.open += trims.open;
    total.handled += trims.handled;
    total.delivered += trims.delivered;
    if (Math.max(trims.open, trims.handled, trims.delivered) < SLICE) break;
  }
  return total;
}

function cutsOf(retention: RetentionOptions, now: number): Cuts {
  return {
    openBefore: now - retention.deadMs,
    handledBefore: now - retention.handledMs,
    deliveredBefore: now - retention.deliveredMs,
    auditBefore: now - retention.auditMs,
    keepOpen: retention.deadMax,
  };
}

const START: Cursors = ['0', '0', '0', '0'];

/** Each goes through again from its start once all are through. */
const next = (cursors: Cursors): Cursors => (cursors.every((cursor) => cursor === '') ? START : cursors);
