// The few statistics that a campaign prints.

/** The share of values below: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/**
 * Kolmogorov and Smirnov's test against the uniform distribution on [0, 1).
 * @returns the largest distance, and the one that chance exceeds in 1 of 1,000 samples of this size
 */
export function uniformity(values: readonly number[]): { distance: number; limit: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length;
  const distance = sorted.reduce(
    (most, value, i) => Math.max(most, Math.abs((i + 1) / count - value), Math.abs(value - i / count)),
    0,
  );
  return { distance, limit: 1.949 / Math.sqrt(count) };
}

/**
 * The slope of a straight line through the points: the median of the slopes between any two (Theil and Sen), so that some
 * points far off, as from a process that was stopped just then, do not bend it.
 */
export function medianSlope(points: readonly (readonly [number, number])[]): number {
  const slopes = points.flatMap(([x, y], i) =>
    points.slice(i + 1).flatMap(([otherX, otherY]) => (otherX === x ? [] : [(otherY - y) / (otherX - x)])),
  );
  return quantile(slopes, 0.5);
}
