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

/** The newest minute in which something was sent. */
export const latestLatency = (minutes: readonly Minute[]): Minute | undefined =>
  minutes.findLast(({ p50Ms }) => p50Ms !== undefined);
