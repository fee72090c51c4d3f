// Where a page of a list over several destinations ended, as the opaque text that a client gives back for the next one.
import { z } from 'zod';
import { ApiError } from './errors.ts';

/** A place in the order (at, destination, id). */
export interface Place {
  /** Epoch ms. */
  at: number;
  destination: string;
  id: string;
}

/** Of which list: a cursor of another one, or of the other direction, is refused. */
export type CursorKind = 'newest' | 'oldest' | 'audit';

const MAX_AT = 8_640_000_000_000_000;
const shape = z.tuple([
  z.enum(['newest', 'oldest', 'audit']),
  z.number().min(0).max(MAX_AT),
  z.string().min(1).max(63),
  z.string().max(500),
]);

export const writeCursor = (kind: CursorKind, { at, destination, id }: Place): string =>
  Buffer.from(JSON.stringify([kind, at, destination, id])).toString('base64url');

/** @throws ApiError 400 INVALID_CURSOR for a text that writeCursor did not make for this list */
export function placeIn(kind: CursorKind, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const place = readCursor(kind, text);
  if (place) return place;
  throw new ApiError(400, 'INVALID_CURSOR', 'cursor: must be the `next` of a page of this list, in this order', {
    details: { field: 'cursor' },
  });
}

function readCursor(kind: CursorKind, text: string): Place | undefined {
  try {
    const read = shape.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (!read.success || read.data[0] !== kind) return undefined;
    const [, at, destination, id] = read.data;
    return { at, destination, id };
  } catch {
    return undefined;
  }
}
