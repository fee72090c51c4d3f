// May a dead write be sent again, and under which key? Pure: what an operator asked, what the dead letter shows, the
// clock. Without a person's word no replay may be able to apply a write a second time (docs/decisions/0010).
import { KEY_MARGIN_MS } from './admit.ts';
import { emptyJournal, type Journal } from './journal.ts';
import type { Verdict } from './verdict.ts';

/** What an operator asks for. */
export interface ReplayRequest {
  /** `same` cannot apply the write twice while the API knows the key; `new` for a write that was not applied. */
  key: 'same' | 'new';
  /** "It may be applied twice": typed by a person, and audited. */
  acceptDouble: boolean;
  /** Sends a write whose own expiry has passed. */
  ignoreExpiry: boolean;
}

/** What is known about the dead write. */
export interface ReplayFacts {
  generation: number;
  verdict: Verdict;
  /** An operator accepted before that it may be applied twice: no answer settles that any more. */
  doubtIsFinal: boolean;
  /** What stood in the queue was a write. */
  sendable: boolean;
  /** Epoch ms at which the API may first have seen the key; missing when nothing can have reached it, or nobody knows. */
  keyFirstSentAt?: number;
  /** Epoch ms until which an attempt may start with the key. */
  keyUsableUntil?: number;
  /** Epoch ms from which the API may have forgotten the key. */
  keyExpiresAt?: number;
  /** The write's own, epoch ms. */
  expiresAt?: number;
  /** The last answer rejected the write: `stored` when the API marked it as the stored answer of this key. */
  rejection: 'none' | 'fresh' | 'stored';
}

export type ReplayRefusal = 'NOT_A_WRITE' | 'TOO_LATE' | 'KEY_ENDING' | 'KEY_EXPIRED' | 'IN_DOUBT' | 'APPLIED';

export type ReplayRuling =
  | {
      allowed: true;
      /** The journal that the new generation, or the write under the new key, starts with. */
      journal: Journal;
      /** A double application was possible, and accepted. */
      doubleAccepted: boolean;
      /** What the operator should know before he goes on. */
      advice?: string;
    }
  | { allowed: false; refusal: ReplayRefusal; because: string };

/** An API that looks keys up answers the same key with what it answered first (docs/contract.md, "Idempotency"). */
const ADVICE: Partial<Record<ReplayFacts['rejection'], string>> = {
  stored:
    'the API answers this key with its stored rejection: the same key will be rejected again, a new key is needed',
  fresh: 'the API may give this key its stored rejection again; a new key is judged anew',
};

const UNLESS_ACCEPTED = ', which could apply a write in doubt twice: that must be accepted';

/**
 * Rules on one replay.
 * @param now epoch ms
 */
export function admitReplay(facts: ReplayFacts, request: ReplayRequest, now: number): ReplayRuling {
  const refuse = (refusal: ReplayRefusal, because: string): ReplayRuling => ({ allowed: false, refusal, because });
  if (!facts.sendable) return refuse('NOT_A_WRITE', 'what stood in the queue was no write; it can only be discarded');
  if (facts.expiresAt !== undefined && now >= facts.expiresAt && !request.ignoreExpiry) {
    return refuse('TOO_LATE', `its own expiry ${isoTime(facts.expiresAt)} has passed`);
  }
  return request.key === 'new' ? underNewKey(facts, request, refuse) : underSameKey(facts, request, now, refuse);
}

type Refuse = (refusal: ReplayRefusal, because: string) => ReplayRuling;

function underNewKey(facts: ReplayFacts, request: ReplayRequest, refuse: Refuse): ReplayRuling {
  if (facts.verdict === 'not-applied') return { allowed: true, journal: emptyJournal(), doubleAccepted: false };
  if (!request.acceptDouble) {
    return facts.verdict === 'applied-once'
      ? refuse('APPLIED', 'the write was applied: under a new key it would be applied twice')
      : refuse('IN_DOUBT', 'the write may have been applied: under a new key it could be applied twice');
  }
  return { allowed: true, journal: { ...emptyJournal(), doubtBefore: 'final' }, doubleAccepted: true };
}

function underSameKey(facts: ReplayFacts, request: ReplayRequest, now: number, refuse: Refuse): ReplayRuling {
  const { verdict, doubtIsFinal, keyFirstSentAt, keyUsableUntil, keyExpiresAt, rejection } = facts;
  const begin = emptyJournal(facts.generation + 1);
  const said = ADVICE[rejection];
  const advice = said === undefined ? {} : { advice: verdict === 'not-applied' ? said : said + UNLESS_ACCEPTED };
  // A doubt without a first send is one that an operator accepted before, or one whose key is of an age that nobody knows.
  const isUnsent = keyFirstSentAt === undefined && (verdict === 'not-applied' || doubtIsFinal);
  // The worker asks the same before it sends: a replay that it would refuse is refused here.
  if (isUnsent || (keyFirstSentAt !== undefined && keyUsableUntil !== undefined && now < keyUsableUntil)) {
    const doubtBefore = doubtIsFinal ? ('final' as const) : ('settleable' as const);
    const journal: Journal = {
      ...begin,
      ...(verdict !== 'not-applied' && { doubtBefore }),
      ...(keyFirstSentAt !== undefined && { firstSentAt: keyFirstSentAt }),
    };
    return { allowed: true, journal, doubleAccepted: false, ...advice };
  }
  if (verdict === 'not-applied') {
    if (keyFirstSentAt === undefined || keyExpiresAt === undefined)
      return refuse('KEY_ENDING', 'it is not known when the API forgets its key');
    // Once the API has surely forgotten it, the key begins another life. The API may have looked it up for the first
    // time in the last send of this life, at its very end, and then keeps it for as long again.
    const forgottenAt = keyExpiresAt + (keyExpiresAt - keyFirstSentAt) + KEY_MARGIN_MS;
    return now > forgottenAt
      ? { allowed: true, journal: begin, doubleAccepted: false, ...advice }
      : refuse('KEY_ENDING', `the API is about to forget its key; it has at ${isoTime(forgottenAt)}`);
  }
  if (!request.acceptDouble) {
    const state = verdict === 'applied-once' ? 'was applied' : 'may have been applied';
    const life =
      keyExpiresAt === undefined
        ? 'it is not known since when the API has its key'
        : `the API may have forgotten its key (since ${isoTime(keyExpiresAt)})`;
    return refuse('KEY_EXPIRED', `the write ${state}, and ${life}: it could be applied twice`);
  }
  return { allowed: true, journal: { ...begin, doubtBefore: 'final' }, doubleAccepted: true };
}

/** What stands in Redis may be anybody's, and no time. */
export function isoTime(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '(no time)' : time.toISOString();
}
