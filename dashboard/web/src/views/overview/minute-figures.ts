// Figures out of the minutes of a destination. Pure.
import type { Minute } from '../../../../api/contract/overview.ts';
import { numberWords } from '../../logic/number-words.ts';

/** Delivered writes a minute over the whole time, with one decimal below ten. */
export function perMinute(minutes: readonly Minute[]): string {
  if (minutes.length === 0) return '0';
  const mean = minutes.reduce((sum, { delivered }) => sum + delivered, 0) / minutes.length;
  if (mean > 0 && mean < 0.1) return '< 0.1';
  return numberWords(mean < 10 ? Math.round(mean * 10) / 10 : Math.round(mean));
}

/** More points than these are a thicket. */
const MAX_POINTS = 180;
const SIZES = [1, 2, 5, 10, 15, 30] as const;

/** What a chart draws: `sizeMinutes` in each of `points`, which bear the time of their first. */
export interface Drawn {
  sizeMinutes: number;
  points: readonly Minute[];
}

/**
 * Counts are added up, of the latencies the longest stands: shares of shares would mean nothing. The present minute has
 * only begun and would look like a fall: it is left out where another one has something.
 */
export function drawnOf(minutes: readonly Minute[]): Drawn {
  const past = minutes.slice(0, -1);
  const shown = past.every(isQuiet) ? minutes : past;
  const sizeMinutes = SIZES.find((size) => minutes.length / size <= MAX_POINTS) ?? 30;
  if (sizeMinutes === 1) return { sizeMinutes, points: shown };
  const points: Minute[] = [];
  // From the end, so that the newest one is whole.
  for (let to = shown.length; to >= sizeMinutes; to -= sizeMinutes)
    points.unshift(folded(shown.slice(to - sizeMinutes, to)));
  return { sizeMinutes, points };
}

function folded(minutes: readonly Minute[]): Minute {
  const sum = (of: 'delivered' | 'retried' | 'dead'): number => minutes.reduce((all, minute) => all + minute[of], 0);
  const longest = (of: 'p50Ms' | 'p95Ms' | 'p99Ms'): { [K in typeof of]?: number } => {
    const known = minutes.flatMap((minute) => minute[of] ?? []);
    return known.length === 0 ? {} : { [of]: Math.max(...known) };
  };
  return {
    at: minutes[0]?.at ?? 0,
    delivered: sum('delivered'),
    retried: sum('retried'),
    dead: sum('dead'),
    ...longest('p50Ms'),
    ...longest('p95Ms'),
    ...longest('p99Ms'),
  };
}

/** Whether nothing happened in it. */
export const isQuiet = ({ delivered, retried, dead, p50Ms }: Minute): boolean =>
  delivered + retried + dead === 0 && p50Ms === undefined;

/** The newest minute in which something was sent. */
export const latestLatency = (minutes: readonly Minute[]): Minute | undefined =>
  minutes.findLast(({ p50Ms }) => p50Ms !== undefined);
