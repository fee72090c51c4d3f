// Counts what goes on at one destination and hands it to Redis every few seconds, beside the path of every write: a write
// waits for none of it, and figures that cannot be handed over are kept for a while, then let go.
import { bucketOf } from '../core/duration-buckets.ts';
import type { Attempt } from '../core/journal.ts';
import { emptyMinute, MINUTE_MS, type MinuteCounts } from '../queue/minutes.ts';
import { within } from '../queue/within.ts';

export interface MinuteFigures {
  attempted(entry: Pick<Attempt, 'disposition' | 'durationMs' | 'outcome'>): void;
  dead(): void;
  /** Hands over the rest, for a second at most. */
  close(): Promise<void>;
}

export interface MinuteFiguresOptions {
  /** Adds to a minute: its start (epoch ms) and the counts. */
  record: (at: number, counts: MinuteCounts) => Promise<void>;
  /** False while Redis is away. */
  isReachable: () => boolean;
  onError: (error: Error) => void;
  everyMs?: number;
  /** Epoch ms. */
  now?: () => number;
}

const EVERY_MS = 5000;
const LAST_WITHIN_MS = 1000;
/** Minutes that are kept while Redis is away; the oldest go first. */
export const MAX_KEPT = 60;

export function keepMinutes({
  record,
  isReachable,
  onError,
  everyMs = EVERY_MS,
  now = Date.now,
}: MinuteFiguresOptions): MinuteFigures {
  const kept = new Map<number, MinuteCounts>();
  let handingOver: Promise<void> | undefined;
  let closed: Promise<void> | undefined;

  const ofMinute = (at: number): MinuteCounts => {
    let counts = kept.get(at);
    if (!counts) {
      kept.set(at, (counts = emptyMinute()));
      if (kept.size > MAX_KEPT) kept.delete(Math.min(...kept.keys()));
    }
    return counts;
  };
  const present = (): MinuteCounts => {
    const at = now();
    return ofMinute(at - (at % MINUTE_MS));
  };
  const handOver = async (): Promise<void> => {
    for (const at of [...kept.keys()].toSorted((a, b) => a - b)) {
      const counts = kept.get(at);
      if (!counts) continue;
      // What is counted meanwhile goes with the next round.
      kept.delete(at);
      try {
        await record(at, counts);
      } catch (error) {
        addTo(ofMinute(at), counts);
        throw error;
      }
    }
  };
  const round = async (): Promise<void> => {
    if (handingOver || kept.size === 0 || !isReachable()) return handingOver;
    handingOver = handOver()
      .catch(onError)
      .finally(() => (handingOver = undefined));
    return handingOver;
  };
  const rest = async (): Promise<void> => {
    await handingOver;
    await round();
  };
  const timer = setInterval(() => void round(), everyMs).unref();

  return {
    attempted: ({ disposition, durationMs, outcome }) => {
      const counts = present();
      if (disposition === 'delivered') counts.delivered += 1;
      if (disposition === 'retry') counts.retried += 1;
      if (outcome === 'blocked') return;
      const bucket = bucketOf(durationMs);
      counts.durations.set(bucket, (counts.durations.get(bucket) ?? 0) + 1);
    },
    dead: () => {
      present().dead += 1;
    },
    close: async () => {
      clearInterval(timer);
      closed ??= within(LAST_WITHIN_MS, rest());
      await closed;
    },
  };
}

function addTo(sum: MinuteCounts, { delivered, retried, dead, durations }: MinuteCounts): void {
  sum.delivered += delivered;
  sum.retried += retried;
  sum.dead += dead;
  for (const [bucket, count] of durations) sum.durations.set(bucket, (sum.durations.get(bucket) ?? 0) + count);
}
