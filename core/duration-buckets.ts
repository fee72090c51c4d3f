// Durations counted in buckets whose bounds grow by a fixed factor, so that a few small numbers hold a minute's
// percentiles, and those of several workers are added up. Four buckets to each doubling: what is read out of them is at
// most 9 % off.

const PER_DOUBLING = 4;
/** 2^20 ms is 17 minutes; an attempt takes ten at most. */
const LAST_BUCKET = 20 * PER_DOUBLING;

/** How often a bucket was met, by its number. */
export type DurationCounts = Map<number, number>;

/** Bucket n holds what is longer than 2^((n−1)/4) ms and at most 2^(n/4) ms; the first all up to 1 ms, the last all above. */
export function bucketOf(durationMs: number): number {
  if (!(durationMs > 1)) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(PER_DOUBLING * Math.log2(durationMs)));
}

/**
 * The duration that a share of all does not exceed: the middle of its bucket.
 * @param share above 0 and at most 1
 * @returns ms, with three digits; undefined when nothing was counted
 */
export function quantileMs(counts: DurationCounts, share: number): number | undefined {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(share * total));
  let passed = 0;
  for (const [bucket, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    passed += count;
    if (passed >= rank) return bucket === 0 ? 1 : Number((2 ** ((bucket - 0.5) / PER_DOUBLING)).toPrecision(3));
  }
  return undefined;
}
