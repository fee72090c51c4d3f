// May a dead write that is in doubt be asked about, by sending it once more under its own key? Pure: what the dead letter
// shows, and the clock. An API that looks keys up answers with what became of the write, and applies it where it has not
// yet; it cannot apply it twice while it knows the key, and only then is a probe allowed (docs/decisions/0019).
import { emptyJournal, type Journal } from './journal.ts';
import { isoTime, type ReplayFacts } from './replay.ts';

export type ProbeRefusal = 'NOT_A_WRITE' | 'NOT_IN_DOUBT' | 'DOUBT_FINAL' | 'TOO_LATE' | 'KEY_ENDING' | 'KEY_EXPIRED';

export type ProbeRuling =
  | {
      allowed: true;
      /** The journal that the new generation starts with. */
      journal: Journal;
      /** What the operator should know before he goes on. */
      advice?: string;
    }
  | { allowed: false; refusal: ProbeRefusal; because: string };

const STORED = 'the API has stored an answer that settles nothing under this key, and will most likely repeat it';

/**
 * Rules on one probe.
 * @param now epoch ms
 */
export function admitProbe(facts: ReplayFacts, now: number): ProbeRuling {
  const refuse = (refusal: ProbeRefusal, because: string): ProbeRuling => ({ allowed: false, refusal, because });
  const { verdict, expiresAt, keyFirstSentAt, keyUsableUntil, keyExpiresAt } = facts;
  if (!facts.sendable) return refuse('NOT_A_WRITE', 'what stood in the queue was no write; it can only be discarded');
  if (verdict !== 'in-doubt') return refuse('NOT_IN_DOUBT', `its verdict is ${verdict}: there is no doubt to settle`);
  if (facts.doubtIsFinal)
    return refuse('DOUBT_FINAL', 'an operator accepted that it may be applied twice: no answer settles that any more');
  if (expiresAt !== undefined && now >= expiresAt)
    return refuse(
      'TOO_LATE',
      `its own expiry ${isoTime(expiresAt)} has passed, and a probe applies what was not applied`,
    );
  // A doubt whose key's beginning is not known has no known end either.
  if (keyFirstSentAt === undefined || keyUsableUntil === undefined)
    return refuse('KEY_EXPIRED', 'it is not known since when the API has its key: it could be applied twice');
  if (now >= keyUsableUntil) {
    const until = keyExpiresAt ?? keyUsableUntil;
    return now < until
      ? refuse('KEY_ENDING', `the API keeps its key until ${isoTime(until)}, too short a time for one more attempt`)
      : refuse(
          'KEY_EXPIRED',
          `the API may have forgotten its key (since ${isoTime(until)}): it could be applied twice`,
        );
  }
  const journal: Journal = {
    ...emptyJournal(facts.generation + 1),
    firstSentAt: keyFirstSentAt,
    doubtBefore: 'settleable',
    probe: true,
  };
  return { allowed: true, journal, ...(facts.rejection === 'stored' && { advice: STORED }) };
}
