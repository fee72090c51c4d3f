// What a bulk act on dead letters may be, and what a person types before it: the same at the terminal, in the page and in
// the API, and checked by whoever does it.

/** More than so many are confirmed by typing their number. */
export const TYPED_ABOVE = 100;
/** What is typed where a write may be applied twice. */
export const ACCEPT_DOUBLE_PHRASE = 'applied twice';

/** Letters of one operation: by a filter, and named one by one. */
export const MAX_OPERATION_ITEMS = 100_000;
export const MAX_NAMED = 5000;
/** Letters that are looked into for one plan, or one creation, where no row tells which are meant. */
export const MAX_LOOKED_INTO = 20_000;

/** Items a second. */
export const MIN_RATE = 0.1;
export const MAX_RATE = 1000;
export const DEFAULT_RATE = 10;
/** Of the replayed writes that have ended: when more are dead again, it pauses itself. */
export const DEFAULT_STOP_SHARE = 0.2;
