// Retention: what is kept, for how long, and the round that takes away the rest. Every worker makes rounds; the step in
// Redis lets one of them at a time do it. Whatever Waybill writes has a bound of age or count.
import { setTimeout } from 'node:timers/promises';
import type { Trims } from './acting-backend.ts';
import type { WaybillBackend } from './backend.ts';

export interface RetentionOptions {
  /** A delivered write's tombstone, from its delivery; at least as long as the API keeps its key. */
  deliveredMs: number;
  /** An open dead letter, from its death; at least as long as the API keeps its key. */
  deadMs: number;
  /** How many open dead letters may stand; the oldest go first, once the API has forgotten their keys. */
  deadMax: number;
  /** A replayed or discarded dead letter, from the act; at least as long as the API keeps its key. */
  handledMs: number;
  /** An entry of the audit stream. */
  auditMs: number;
  /** How long the API keeps a key: no tombstone goes before, or its key could be sent as a new one. */
  keyTtlMs: number;
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
/** Slices that one round takes away at most: two million writes, more than can be delivered between two rounds. */
const MAX_SLICES = 10_000;
/** Entries that one script looks at in each row, and how many scripts a round has for that. */
const SCRUB_SLICE = 500;
const MAX_SCRUBS = 20;

/** Makes rounds until it is stopped. */
export function keepRetention({ backend, retention, intervalMs, onTrimmed, onError }: Rounds): { stop: () => void } {
  const stopped = new AbortController();
  const isStopped = (): boolean => stopped.signal.aborted;
  const run = async (): Promise<void> => {
    while (!isStopped()) {
      // Apart from each other, or all workers of a deployment come at once.
      await setTimeout(intervalMs * (0.5 + Math.random() / 2), undefined, { signal: stopped.signal, ref: false });
      try {
        const trims = await round(backend, retention, intervalMs / 2, isStopped);
        if (!trims) continue;
        if (trims.open > 0) onTrimmed(trims);
        await scrub(backend, retention, isStopped);
      } catch (error) {
        if (!isStopped()) onError(error as Error);
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
  isStopped: () => boolean = () => false,
): Promise<Trims | undefined> {
  const total: Trims = { open: 0, handled: 0, delivered: 0 };
  let kept = 0;
  for (let slices = 0; slices < MAX_SLICES && !isStopped(); slices++) {
    const slice = await backend.trim(retention, SLICE, slices === 0 ? Math.floor(pauseMs) : 0, kept);
    if (!slice) return undefined;
    for (const kind of ['open', 'handled', 'delivered'] as const) total[kind] += slice[kind];
    kept += slice.kept;
    if (!slice.more) break;
  }
  return total;
}

/** Goes on through the rows and tombstones where the last worker left off. */
export async function scrub(
  backend: WaybillBackend,
  { keyTtlMs }: Pick<RetentionOptions, 'keyTtlMs'>,
  isStopped: () => boolean = () => false,
): Promise<void> {
  for (let times = 0; times < MAX_SCRUBS && !isStopped(); times++) {
    if ((await backend.scrub(SCRUB_SLICE, keyTtlMs)).through) return;
  }
}
