// One list out of the lists of several destinations, a page at a time, in the order (at, destination, id) or its reverse.
// A source that stopped early, since it looked at as much as it may, holds the others back: what it has not looked at
// could come before what they have.
import type { Place } from './cursor.ts';

type First = 'newest' | 'oldest';

/** A place within one destination. */
export type Spot = Omit<Place, 'destination'>;

/** A part of one destination's list. */
export interface Part<T> {
  items: { item: T; spot: Spot }[];
  /** It went up to here, and there is more behind it; missing at the end of the list. */
  next?: Spot;
  scanned: number;
}

export interface Merged<T> {
  items: T[];
  next?: Place;
  scanned: number;
}

/** Ids sort behind '' and before this one, whatever they hold: they are shorter. */
const LAST_ID = '\u{10ffff}'.repeat(300);

/** Where a destination's own list goes on, for a page of all that ended at `place`. */
export function spotOf(place: Place, destination: string, first: First): Spot {
  if (place.destination === destination) return { at: place.at, id: place.id };
  // Of the same time all or nothing was given already.
  const given = first === 'oldest' ? destination < place.destination : destination > place.destination;
  return { at: place.at, id: given === (first === 'oldest') ? LAST_ID : '' };
}

export async function merge<T>(
  destinations: readonly string[],
  { first, after, limit }: { first: First; after?: Place | undefined; limit: number },
  read: (destination: string, after: Spot | undefined) => Promise<Part<T>>,
): Promise<Merged<T>> {
  const sign = first === 'oldest' ? 1 : -1;
  const order = (a: Place, b: Place): number => sign * compare(a, b);
  const rows: { item: T; place: Place }[] = [];
  let frontier: Place | undefined;
  let scanned = 0;
  for (const destination of destinations) {
    const part = await read(destination, after && spotOf(after, destination, first));
    scanned += part.scanned;
    for (const { item, spot } of part.items) rows.push({ item, place: { ...spot, destination } });
    const end = part.next && { ...part.next, destination };
    if (end && (!frontier || order(end, frontier) < 0)) frontier = end;
  }
  rows.sort((a, b) => order(a.place, b.place));
  const sure = frontier;
  const known = sure ? rows.filter(({ place }) => order(place, sure) <= 0) : rows;
  const page = known.slice(0, limit);
  const next = known.length > limit ? page.at(-1)?.place : frontier;
  return { items: page.map(({ item }) => item), ...(next && { next }), scanned };
}

/** Ids as Redis compares them, by their bytes. */
function compare(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.destination !== b.destination) return a.destination < b.destination ? -1 : 1;
  return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
}
