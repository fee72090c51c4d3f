// A bulk operation: what it is asked for, and how far it has come. It belongs to one destination. Times are epoch ms.
import type { ACCEPT_DOUBLE_PHRASE } from '../../core/bulk.ts';
import type { Verdict } from '../../core/verdict.ts';
import type { Operator } from '../acts.ts';
import type { FiledLetter, UnreadableLetter } from '../dead-letters.ts';
import type { LetterFilter } from '../letter-filter.ts';
import type { Result } from './results.ts';

export type OperationVerb = 'replay' | 'discard' | 'restore';
export type OperationState = 'preparing' | 'running' | 'paused' | 'cancelled' | 'done';

/** A filter whose parts may be there and undefined, as a parsed request has them. */
export type FilterAsked = { [Part in keyof LetterFilter]?: LetterFilter[Part] | undefined };

export interface PlanRequest {
  act: OperationVerb;
  destination: string;
  /** Dead letter ids, or what the letters have in common. */
  target: { ids: readonly string[] } | { filter: FilterAsked };
  /** Each item gets a key of its own. */
  newKey?: boolean;
  acceptDouble?: boolean;
  ignoreExpiry?: boolean;
}

export interface Plan {
  act: OperationVerb;
  destination: string;
  count: number;
  atLeast: boolean;
  /** How many of them the rules were asked about, the oldest first. */
  examined: number;
  allowed: number;
  refused: { refusal: string; because: string; count: number; sample: string[] }[];
  /** How many may be applied twice. */
  doubles: number;
  advice: { text: string; count: number }[];
  verdicts: Partial<Record<Verdict, number>>;
  /** The first of the keys that can be used no more, and when. */
  firstKeyEndsAt?: number;
  sample: (FiledLetter | UnreadableLetter)[];
  frozenAt: number;
  confirm: Confirmation;
}

export interface Confirmation {
  count?: number;
  phrase?: typeof ACCEPT_DOUBLE_PHRASE;
}

export interface CreateRequest extends PlanRequest, Operator {
  /** A UUID of who asks: where his operation stands under it already, that is the answer. */
  id?: string | undefined;
  /** The plan's: what died at this time or after is not meant. */
  frozenAt: number;
  /** Items a second, 0.1 to 1000. */
  rate?: number;
  /** `canary`: 1, then 10 %, then the rest; of a replay. */
  steps?: 'canary' | 'all';
  /** 0 to 1: pauses itself when more than this share of the replayed writes that have ended is dead again. */
  stopShare?: number;
  confirm?: { count?: number | undefined; phrase?: string | undefined };
}

export interface Operation extends Operator {
  id: string;
  destination: string;
  act: OperationVerb;
  state: OperationState;
  /** Of a paused one: who or what paused it, in words. */
  pausedBecause?: string;
  /** The letters that were meant; missing where they were named. */
  filter?: LetterFilter;
  newKey: boolean;
  acceptDouble: boolean;
  ignoreExpiry: boolean;
  rate: number;
  steps: 'canary' | 'all';
  stopShare: number;
  total: number;
  counts: Record<Result, number>;
  /** What became of the replayed writes. */
  after: { delivered: number; dead: number; underway: number };
  step?: { n: number; of: number; until: number; waiting: boolean };
  createdAt: number;
  endedAt?: number;
}

export interface OperationItem {
  index: number;
  letter: string;
  result: Result | 'pending';
  /** Why not, in words. */
  message?: string;
  at?: number;
  jobId?: string;
  idempotencyKey?: string;
  /** What became of a replayed write. */
  end?: 'underway' | 'delivered' | 'dead';
  endLetter?: string;
}

/** What an operation is asked for; it never changes. */
export interface Spec extends Operator {
  id: string;
  destination: string;
  act: OperationVerb;
  filter?: LetterFilter;
  newKey: boolean;
  acceptDouble: boolean;
  ignoreExpiry: boolean;
  rate: number;
  steps: 'canary' | 'all';
  stopShare: number;
  createdAt: number;
}
