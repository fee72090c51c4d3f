// Which rows answer a filter. Those of the classes that have what it asks for, exactly; where no row tells, letters have to
// be looked into: for a text, among handled letters, and among those that stand in no class of their own.
import type { LetterState } from './acts.ts';
import { classKey, deadQueueName, prefixOf, rowKeys } from './keys.ts';
import { OTHER_CLASS, readFacets } from './letter-class.ts';
import { asksForFacets, type Facets, hasFacets, type LetterFilter, looksInside } from './letter-filter.ts';
import type { Reader } from './reader.ts';
import { CLASSES, FOLD, MERGE, type OpenScript } from './scripts/rows.ts';

/** Where letters are read from. */
export type Source = Pick<Reader, 'client'>;

export interface Rows {
  /** Keys of rows that hold what is meant and nothing else. */
  exact: string[];
  /** Keys of rows whose letters have to be looked into. */
  searched: string[];
  /** Bounds of time that the rows' own order answers, epoch ms. */
  since?: number;
  before?: number;
}

export async function rowsFor(
  reader: Source,
  destination: string,
  state: LetterState,
  filter: LetterFilter,
): Promise<Rows> {
  if (state !== 'open') {
    // They stand in the order of their acts, so that the time of a death is not told by it either.
    const asks = looksInside(filter) || filter.since !== undefined || filter.before !== undefined;
    const set = [setOf(destination, state)];
    return asks ? { exact: [], searched: set } : { exact: set, searched: [] };
  }
  const { since, before, text } = filter;
  const bounds = { ...(since !== undefined && { since }), ...(before !== undefined && { before }) };
  const { exact, searched } = asksForFacets(filter)
    ? await rowsWith(reader, destination, filter)
    : { exact: [rowKeys(destination).byTime], searched: [] };
  return text === undefined
    ? { exact, searched, ...bounds }
    : { exact: [], searched: [...exact, ...searched], ...bounds };
}

async function rowsWith(
  reader: Source,
  destination: string,
  filter: LetterFilter,
): Promise<Pick<Rows, 'exact' | 'searched'>> {
  const { classes, other, unfiled } = await readClasses(reader, destination);
  if (unfiled > 0) return { exact: [], searched: [rowKeys(destination).byTime] };
  return {
    exact: classes.filter(({ facets }) => hasFacets(facets, filter)).map(({ key }) => key),
    searched: other > 0 ? [classKey(destination, OTHER_CLASS)] : [],
  };
}

/** Where letters of a state are: the open ones in a row by time of death, the others in BullMQ's finished sets. */
function setOf(destination: string, state: LetterState): string {
  const dead = `${prefixOf(destination)}:${deadQueueName(destination)}`;
  switch (state) {
    case 'open':
      return rowKeys(destination).byTime;
    case 'replayed':
      return `${dead}:completed`;
    case 'discarded':
      return `${dead}:failed`;
  }
}

export interface Classes {
  classes: { key: string; facets: Facets; count: number }[];
  /** Letters that found no class of their own. */
  other: number;
  /** Letters in no class at all: filed by an older version. A reindex files them. */
  unfiled: number;
}

/** All of one moment. */
export async function readClasses(reader: Source, destination: string): Promise<Classes> {
  const { classes: key, byTime } = rowKeys(destination);
  const [all, other, ...rest] = (await runScript(reader, CLASSES, [key, byTime], [])) as [number, number, ...unknown[]];
  const classes: Classes['classes'] = [];
  for (let i = 0; i + 2 < rest.length; i += 3) {
    const [id, facets, count] = rest.slice(i, i + 3) as [string, string, number];
    classes.push({ key: classKey(destination, id), facets: readFacets(facets), count });
  }
  return { classes, other, unfiled: all - classes.reduce((sum, { count }) => sum + count, other) };
}

/** A letter's place in the order: by time, and among those of one millisecond by id. */
export interface LetterCursor {
  /** Epoch ms: of its death, or of the last act where the letters are handled ones. */
  at: number;
  id: string;
}

export interface Row extends LetterCursor {
  /** Whether the letter has to be looked into. */
  searched: boolean;
}

/** All rows as one, in order. @param atOnce how many are read at a time */
export async function* inRows(
  reader: Source,
  { exact, searched, since, before }: Rows,
  first: 'oldest' | 'newest',
  after: LetterCursor | undefined,
  atOnce: number,
): AsyncGenerator<Row> {
  const keys = [...exact, ...searched];
  let last = after;
  while (keys.length > 0) {
    const args = [first, since, before, last?.at, last?.id, atOnce];
    const found = (await runScript(reader, MERGE, keys, args)) as [string, string, number];
    const rows: Row[] = [];
    for (let i = 0; i + 2 < found.length; i += 3) {
      const [id, at, n] = found.slice(i, i + 3) as [string, string, number];
      rows.push({ id, at: Number(at), searched: n > exact.length });
    }
    yield* rows;
    last = rows.at(-1);
    if (rows.length < atOnce) return;
  }
}

export interface Folded {
  count: number;
  /** Epoch ms; missing where it is empty. */
  firstAt?: number;
  lastAt?: number;
  /** How many in each slice of time. */
  slices: number[];
}

/** Slices of time: `slices` of `stepMs` each, the first one begins at `from` (epoch ms). */
export interface Slices {
  from: number;
  stepMs: number;
  slices: number;
}

const NO_SLICES: Slices = { from: 0, stepMs: 1, slices: 0 };
/** Rows that one script counts at most: with 100 slices 10 ms. */
const FOLD_AT_ONCE = 100;

/** Counts each of the rows by itself. */
export async function foldRows(
  reader: Source,
  keys: readonly string[],
  { since, before }: Pick<Rows, 'since' | 'before'>,
  { from, stepMs, slices }: Slices = NO_SLICES,
): Promise<Folded[]> {
  const folded: Folded[] = [];
  for (let at = 0; at < keys.length; at += FOLD_AT_ONCE) {
    const some = keys.slice(at, at + FOLD_AT_ONCE);
    const replies = await runScript(reader, FOLD, some, [since, before, from, stepMs, slices]);
    for (const [count, firstAt, lastAt, ...counts] of replies as [number, string?, string?, ...number[]][]) {
      folded.push({
        count,
        ...(firstAt !== undefined && { firstAt: Number(firstAt), lastAt: Number(lastAt) }),
        slices: counts.length > 0 ? counts : Array.from({ length: slices }, () => 0),
      });
    }
  }
  return folded;
}

/** The driver sends a script once, and again to a server that does not have it. */
export function runScript(
  { client }: Source,
  { name, lua }: OpenScript,
  keys: readonly string[],
  args: readonly (string | number | undefined)[],
): Promise<unknown> {
  const commands = client as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  if (typeof commands[name] !== 'function') client.defineCommand(name, { lua });
  return commands[name]!(keys.length, ...keys, ...args.map((value) => value ?? ''));
}
