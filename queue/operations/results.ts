// What came of an item, as one character in the operation's string of results: 100,000 items are 100 kB, are counted and
// paged without reading more, and a character that stands is never written over but to say how the write ended.

export const RESULTS = ['done', 'refused', 'handled', 'missing', 'failed'] as const;
/** done · refused by a rule · somebody else was first · gone (trimmed, or removed) · an error of ours or of Redis. */
export type Result = (typeof RESULTS)[number];

/** What becomes of a replayed write. */
export type End = 'underway' | 'delivered' | 'dead';

const MEANING: Record<string, { result: Result; end?: End }> = {
  o: { result: 'done' },
  u: { result: 'done', end: 'underway' },
  d: { result: 'done', end: 'delivered' },
  x: { result: 'done', end: 'dead' },
  r: { result: 'refused' },
  h: { result: 'handled' },
  m: { result: 'missing' },
  f: { result: 'failed' },
};

export const UNDERWAY = 'u';
export const DELIVERED = 'd';
export const DEAD_AGAIN = 'x';

/** @param isFollowed whether a write went out whose end is awaited */
export function characterOf(result: Result, isFollowed: boolean): string {
  if (result === 'done') return isFollowed ? UNDERWAY : 'o';
  return result[0] ?? '';
}

/** @param character of the string of results; nothing stands there where the item is pending */
export function meaningOf(character: string | undefined): { result: Result | 'pending'; end?: End } {
  return MEANING[character ?? ''] ?? { result: 'pending' };
}
