// The class of a dead letter: all that a filter may ask for but time and text. Letters of one class share one row, so that
// a filter costs as much as there are classes, and a letter one entry (docs/decisions/0015-rows-by-class.md).
import { createHash } from 'node:crypto';
import type { FiledLetter, UnreadableLetter } from './dead-letters.ts';
import { type Facets, facetsOf } from './letter-filter.ts';
import type { DeadLetter } from './letter.ts';

/** Where the letters go that find no class: their facets are read from themselves, a bounded number of them. */
export const OTHER_CLASS = 'other';
/** Of one destination. An API that makes a code of its own for every error must not fill the memory with classes. */
export const MAX_CLASSES = 1000;
/** Facets come from upstream: longer ones make no class. Those that `readEnvelope` has capped are shorter. */
const MAX_FACETS_TEXT = 2000;
const ID_LENGTH = 16;

export interface LetterClass {
  id: string;
  /** JSON, as the rows keep them; '' of the class `other`. */
  facets: string;
}

const OTHER: LetterClass = { id: OTHER_CLASS, facets: '' };

export function classOf(letter: DeadLetter | FiledLetter | UnreadableLetter): LetterClass {
  if ('unreadable' in letter) return OTHER;
  const { code, field, status, reason, verdict, attempts, replayed } = facetsOf(letter);
  const facets = JSON.stringify([code, field, status, reason, verdict, attempts, replayed]);
  if (facets.length > MAX_FACETS_TEXT) return OTHER;
  return { id: createHash('sha256').update(facets).digest('base64url').slice(0, ID_LENGTH), facets };
}

/** @returns what matches no filter, where something else stands there */
export function readFacets(text: string): Facets {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return {};
  }
  if (!Array.isArray(values)) return {};
  const names = ['code', 'field', 'status', 'reason', 'verdict', 'attempts', 'replayed'] as const;
  return Object.fromEntries(names.flatMap((name, i) => (values[i] === null ? [] : [[name, values[i] as unknown]])));
}
