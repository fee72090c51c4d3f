// From where the pointer is to a stretch of time. Pure.
export interface Range {
  since: number;
  before: number;
}

/** @param share of the width, 0 to 1; beyond the edges the first or last bar is meant */
export const barAt = (share: number, bars: number): number => Math.min(bars - 1, Math.max(0, Math.floor(share * bars)));

/** From the start of the earlier bar to the end of the later one. */
export const rangeOf = (one: number, other: number, from: number, stepMs: number): Range => ({
  since: from + Math.min(one, other) * stepMs,
  before: from + (Math.max(one, other) + 1) * stepMs,
});
