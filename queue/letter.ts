// The dead letter: what a person needs to see why a write could not be delivered, and to send it again.
import type { Envelope } from '../core/envelope.ts';
import { keyUsableUntil } from '../core/admit.ts';
import type { DeadReason, Policy } from '../core/decide.ts';
import { type Attempt, firstSentAt, type Journal } from '../core/journal.ts';
import type { ReplayFacts } from '../core/replay.ts';
import type { Verdict } from '../core/verdict.ts';
import { verdictOf } from '../core/verdict.ts';
import type { Write } from '../core/write.ts';
import { generationOfLetter, letterId } from './keys.ts';

export interface DeadLetter {
  /** The write's job id and its generation. */
  id: string;
  destination: string;
  jobId: string;
  /** Epoch ms. */
  deadAt: number;
  enqueuedAt: number;
  reason: DeadReason;
  because: string;
  verdict: Verdict;
  /** Of the last attempt that got an answer. */
  status?: number;
  envelope?: Envelope;
  requestId?: string;
  /** Starts without a record since the last entry of the journal. */
  lost: number;
  journal: Journal;
  /** Epoch ms at which the API may first have seen the key; missing when nothing can have reached it. */
  keyFirstSentAt?: number;
  /** Epoch ms until which an attempt may start with it, and from which the API may have forgotten it. */
  keyUsableUntil?: number;
  keyExpiresAt?: number;
  /** As it was sent; missing when what stood in the queue is no write. */
  write?: Write;
  /** What stood there instead, as text. */
  raw?: string;
}

export interface DeadFacts {
  destination: string;
  jobId: string;
  enqueuedAt: number;
  reason: DeadReason;
  because: string;
  lost: number;
  /** When the first of those starts began, epoch ms. */
  lostAt?: number;
  journal: Journal;
  write?: Write;
  raw?: string;
}

/**
 * Builds the letter of a write that cannot be delivered.
 * @param policy how long the API keeps a key, and how long an attempt may take
 * @param now epoch ms
 */
export function deadLetter(facts: DeadFacts, policy: Pick<Policy, 'keyTtlMs' | 'timeoutMs'>, now: number): DeadLetter {
  const { journal, lost } = facts;
  const sentAt = firstSentAt(journal, lost, facts.lostAt ?? facts.enqueuedAt);
  return {
    id: letterId(facts.jobId, journal.generation),
    destination: facts.destination,
    jobId: facts.jobId,
    deadAt: now,
    enqueuedAt: facts.enqueuedAt,
    reason: facts.reason,
    because: facts.because,
    ...impliedBy(journal, lost),
    lost,
    journal,
    ...(sentAt !== undefined && {
      keyFirstSentAt: sentAt,
      keyUsableUntil: keyUsableUntil(sentAt, policy),
      keyExpiresAt: sentAt + policy.keyTtlMs,
    }),
    ...(facts.write && { write: facts.write }),
    ...(facts.raw !== undefined && { raw: facts.raw }),
  };
}

/** What follows from the journal. @param lost starts without a record since its last entry */
export function impliedBy(
  journal: Journal,
  lost: number,
): Pick<DeadLetter, 'verdict' | 'status' | 'envelope' | 'requestId' | 'keyFirstSentAt'> {
  const answered = journal.attempts.findLast((entry) => entry.outcome === 'response');
  // Of lost starts the journal does not know when they began.
  const sentAt = lost === 0 ? journal.firstSentAt : undefined;
  return {
    verdict: verdictOf(journal, lost),
    ...(answered?.status !== undefined && { status: answered.status }),
    ...(answered?.envelope && { envelope: answered.envelope }),
    ...(answered?.requestId !== undefined && { requestId: answered.requestId }),
    ...(sentAt !== undefined && { keyFirstSentAt: sentAt }),
  };
}

/** Every request_id that the write's attempts were answered with. */
export function requestIdsOf(journal: Journal): string[] {
  const entries: Attempt[] = [...journal.attempts, ...(journal.lastPostponed ? [journal.lastPostponed] : [])];
  return [...new Set(entries.flatMap((entry) => entry.requestId ?? []))];
}

/** What the rules of a replay need to know of a letter. */
export function replayFactsOf(letter: DeadLetter): ReplayFacts {
  const { id, journal, verdict, write, reason, lost } = letter;
  const { keyFirstSentAt, keyUsableUntil: usableUntil, keyExpiresAt } = letter;
  const answered = journal.attempts.findLast(({ outcome }) => outcome === 'response');
  return {
    // A letter is filed under a later generation where its own is taken (docs/decisions/0007).
    generation: generationOfLetter(id) ?? journal.generation,
    verdict,
    doubtIsFinal: journal.doubtBefore === 'final',
    sendable: write !== undefined,
    // Of starts without a record something may have reached the API at any time.
    ...((keyFirstSentAt !== undefined || lost > 0) && { keyFirstSentAt: keyFirstSentAt ?? 0 }),
    ...(usableUntil !== undefined && { keyUsableUntil: usableUntil }),
    ...(keyExpiresAt !== undefined && { keyExpiresAt }),
    ...(write?.expiresAt !== undefined && { expiresAt: write.expiresAt }),
    rejection:
      reason !== 'rejected'
        ? 'none'
        : answered?.replayed
          ? 'stored'
          : answered?.evidence === 'not-applied'
            ? 'fresh'
            : 'none',
  };
}
