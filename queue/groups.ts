// The open dead letters of a destination, folded: by code and field, and by slices of time. What that costs depends on how
// many classes of letters there are, never on how many letters.
import { search } from './dead-letters.ts';
import { type Facets, hasFacets, type LetterFilter } from './letter-filter.ts';
import type { Reader } from './reader.ts';
import { type Folded, foldRows, readClasses, rowsFor, type Slices } from './rows.ts';

export type { Slices } from './rows.ts';

/** What open letters of one code and field have in common. */
export interface LetterGroup {
  destination: string;
  code?: string;
  field?: string;
  count: number;
  /** Epoch ms of the first and the last death. */
  firstAt: number;
  lastAt: number;
  /** How many letters of each; those without an answer have no status. */
  statuses: Record<string, number>;
  reasons: Record<string, number>;
  verdicts: Record<string, number>;
  /** Deaths by slice of time, the oldest first; empty where none was asked for. */
  spark: number[];
}

/**
 * The largest group first.
 * @returns also `other`: how many letters stand in no group, whether the filter means them or not
 */
export async function groupsOf(
  reader: Reader,
  destination: string,
  { filter = {}, spark }: { filter?: Omit<LetterFilter, 'text'>; spark?: Slices } = {},
): Promise<{ groups: LetterGroup[]; other: number }> {
  const { classes, other, unfiled } = await readClasses(reader, destination);
  const meant = classes.filter(({ facets }) => hasFacets(facets, filter));
  const folded = await foldRows(
    reader,
    meant.map(({ key }) => key),
    filter,
    spark,
  );
  const groups = new Map<string, LetterGroup>();
  for (const [i, { facets }] of meant.entries()) {
    const row = folded[i];
    if (!row || row.count === 0) continue;
    const { code, field } = facets;
    const name = JSON.stringify([code, field]);
    const group = groups.get(name) ?? emptyGroup(destination, facets, row);
    groups.set(name, group);
    add(group, facets, row);
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  return { groups: sorted, other: other + Math.max(0, unfiled) };
}

/** How many open letters died in each slice of time; at least so many where the bound of a search has ended the count. */
export async function histogramOf(
  reader: Reader,
  destination: string,
  { filter = {}, ...slices }: { filter?: LetterFilter } & Slices,
): Promise<{ counts: number[]; atLeast: boolean }> {
  const rows = await rowsFor(reader, destination, 'open', filter);
  const counts = Array.from({ length: slices.slices }, () => 0);
  for (const row of await foldRows(reader, rows.exact, rows, slices)) addTo(counts, row.slices);
  if (rows.searched.length === 0) return { counts, atLeast: false };
  const { found, atLeast } = await search(reader, destination, rows, filter);
  for (const at of found) {
    const slice = Math.floor((at - slices.from) / slices.stepMs);
    if (slice in counts) counts[slice] = (counts[slice] ?? 0) + 1;
  }
  return { counts, atLeast };
}

function emptyGroup(destination: string, { code, field }: Facets, { slices }: Folded): LetterGroup {
  return {
    destination,
    ...(code !== undefined && { code }),
    ...(field !== undefined && { field }),
    count: 0,
    firstAt: Infinity,
    lastAt: 0,
    statuses: {},
    reasons: {},
    verdicts: {},
    spark: slices.map(() => 0),
  };
}

function add(group: LetterGroup, { status, reason, verdict }: Facets, row: Folded): void {
  const { count, firstAt = Infinity, lastAt = 0 } = row;
  group.count += count;
  group.firstAt = Math.min(group.firstAt, firstAt);
  group.lastAt = Math.max(group.lastAt, lastAt);
  const tallies = [
    [group.statuses, status],
    [group.reasons, reason],
    [group.verdicts, verdict],
  ] as const;
  for (const [tally, value] of tallies) if (value !== undefined) tally[value] = (tally[value] ?? 0) + count;
  addTo(group.spark, row.slices);
}

function addTo(counts: number[], more: readonly number[]): void {
  for (const [i, count] of more.entries()) counts[i] = (counts[i] ?? 0) + count;
}
