// Which dead letters are meant: one filter for the list, the count, the groups, the export, replay and discard.
import { type DeadReason } from '../core/decide.ts';
import { fieldOf } from '../core/envelope.ts';
import type { Verdict } from '../core/verdict.ts';
import type { DeadLetter } from './letter.ts';

/** Facets that a letter can lack, and that its group is named by. */
export const WITHOUT = ['code', 'field'] as const;

/** Every part that is given must hold; without any part every letter is meant. */
export interface LetterFilter {
  /** As `letterCode` says it, exactly. */
  code?: string;
  /** The offending field in the envelope's details, exactly. */
  field?: string;
  /** What it must not have. */
  without?: readonly (typeof WITHOUT)[number][];
  status?: number;
  reason?: DeadReason;
  verdict?: Verdict;
  /** Attempts that were spent, exactly. */
  attempts?: number;
  /** Whether it is of a later generation: it was replayed under its own key, and died again. */
  replayed?: boolean;
  /** A part of the envelope's message, of the path or of the body, whatever its case. */
  text?: string;
  /** Dead before this time, epoch ms. */
  before?: number;
  /** Dead at this time or after, epoch ms. */
  since?: number;
}

/** What all letters of one class have in common; the rows by class answer every filter that asks for nothing else. */
export type Facets = Omit<LetterFilter, 'text' | 'before' | 'since' | 'without'>;

/**
 * A letter's one code, by which it is listed, filtered and grouped: the envelope's, or, where no attempt was answered,
 * the connection error's of the last one that had one.
 */
export function letterCode({ envelope, journal }: Pick<DeadLetter, 'envelope' | 'journal'>): string | undefined {
  const code: unknown = (envelope ?? journal.attempts.findLast((entry) => entry.code !== undefined))?.code;
  return typeof code === 'string' && code !== '' ? code : undefined;
}

export const facetsOf = (letter: DeadLetter): Facets => {
  const code = letterCode(letter);
  const field = fieldOf(letter.envelope);
  return {
    ...(code !== undefined && { code }),
    ...(field !== undefined && { field }),
    ...(letter.status !== undefined && { status: letter.status }),
    reason: letter.reason,
    verdict: letter.verdict,
    attempts: letter.journal.attempts.length,
    replayed: letter.journal.generation > 0,
  };
};

const FACETS = ['code', 'field', 'status', 'reason', 'verdict', 'attempts', 'replayed'] as const;

export const hasFacets = (facets: Facets, filter: LetterFilter): boolean =>
  FACETS.every((name) => filter[name] === undefined || filter[name] === facets[name]) &&
  (filter.without ?? []).every((name) => facets[name] === undefined);

export function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const { text, before, since } = filter;
  return (
    (before === undefined || letter.deadAt < before) &&
    (since === undefined || letter.deadAt >= since) &&
    (!asksForFacets(filter) || hasFacets(facetsOf(letter), filter)) &&
    (text === undefined || holdsText(letter, text))
  );
}

function holdsText({ envelope, write }: DeadLetter, text: string): boolean {
  const sought = text.toLowerCase();
  return [envelope?.message, write?.path, write?.body].some((part) => part?.toLowerCase().includes(sought));
}

export const asksForFacets = (filter: LetterFilter): boolean =>
  FACETS.some((name) => filter[name] !== undefined) || (filter.without ?? []).length > 0;

/** Whether a filter asks for more than a time. */
export const looksInside = (filter: LetterFilter): boolean => asksForFacets(filter) || filter.text !== undefined;
