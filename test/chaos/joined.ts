// The journal of a write joined with what the API saw of it: to each attempt the send that it was.
import type { Attempt, Journal } from '../../core/journal.ts';
import type { LedgerSend } from '../../dev/testing.ts';
import { type Said, saidTo } from './api-answers.ts';

/** A send and what was said to it; nothing, where it got no answer. */
export interface Seen {
  send: LedgerSend;
  said: Said | undefined;
}

export interface JoinedAttempt {
  attempt: Attempt;
  /** Missing where the API saw nothing of it. */
  seen: Seen | undefined;
}

export interface Joined {
  /** By generation, as the journals were given. */
  generations: JoinedAttempt[][];
  /** Sends that stand in no journal: postponed ones, and those whose worker did not live to tell. */
  unrecorded: Seen[];
}

/** The same clock, read by two processes. */
const SLACK_MS = 5;
/** A busy worker begins the attempt, which is what is measured, so much later than it notes the start of it; a busy API notes it as late. */
export const HELD_UP_MS = 500;

/**
 * @param journals of one key, the oldest generation first
 * @param clocksDifferMs how far the workers' clocks may be off the API's
 * @param isOdd the API may refuse such a write before it notes it: what was answered then is taken from the journal
 */
export function join(
  journals: readonly Journal[],
  sends: readonly LedgerSend[],
  clocksDifferMs: number,
  isOdd = false,
): Joined {
  const said = saidTo(sends);
  const left = sends.map((send, i): Seen => ({ send, said: said[i] }));
  const slackMs = SLACK_MS + clocksDifferMs;
  const take = ({ at, durationMs, outcome, status }: Attempt): Seen | undefined => {
    if (outcome === 'blocked' || outcome === 'not-sent') return undefined;
    const within = left.filter(
      ({ send }) =>
        send.at >= at - slackMs &&
        send.at <= at + durationMs + HELD_UP_MS + slackMs &&
        (outcome === 'no-answer' || send.status === status),
    );
    const nearest = within.toSorted((a, b) => Math.abs(a.send.at - at) - Math.abs(b.send.at - at));
    // A send that got no answer is the likelier one of an attempt that read none.
    const found = (outcome === 'no-answer' ? nearest.find((seen) => !seen.said) : undefined) ?? nearest[0];
    if (found) left.splice(left.indexOf(found), 1);
    return found;
  };
  // One that read no answer may never have come to the API: what others were answered to is not its send.
  const all = journals.flatMap(({ attempts }) => attempts);
  const seen = new Map<Attempt, Seen | undefined>();
  for (const attempt of all) if (attempt.outcome !== 'no-answer') seen.set(attempt, take(attempt));
  for (const attempt of all) if (attempt.outcome === 'no-answer') seen.set(attempt, take(attempt));
  const seenOf = (attempt: Attempt): Seen | undefined => seen.get(attempt) ?? (isOdd ? refused(attempt) : undefined);
  const generations = journals.map(({ attempts }) => attempts.map((attempt) => ({ attempt, seen: seenOf(attempt) })));
  return { generations, unrecorded: left };
}

/** As if it had been noted. */
function refused({ at, outcome, status }: Attempt): Seen | undefined {
  if (outcome !== 'response' || status === undefined || status < 400) return undefined;
  const send = { at, payloadSha256: '', path: '', step: null, status, applied: false };
  return { send, said: { status, askedMs: 0, stored: false } };
}
