// The attempt journal: what is known of every send of one write. The step that retries a write, or files it as dead,
// stores it too; nothing else is needed for the verdict.
import type { Wait } from './back-off.ts';
import type { Envelope } from './envelope.ts';
import { isRecord } from './json.ts';
import { classOf } from './outcome.ts';

/** What an attempt proves about the write (docs/guide/model.md, "The verdict"). */
export type Evidence =
  /** A 2xx: it is applied. */
  | 'applied'
  /** A rejection given after looking the key up: neither this nor any earlier attempt applied it. */
  | 'not-applied'
  /** It may have been applied. */
  | 'doubt'
  /** Says nothing about what was before. */
  | 'nothing';

export interface Attempt {
  /** From 1; a postponed one bears the number of the attempt that it did not spend. */
  attempt: number;
  /** Epoch ms of the start. */
  at: number;
  durationMs: number;
  outcome: 'response' | 'not-sent' | 'no-answer' | 'blocked';
  evidence: Evidence;
  disposition: 'delivered' | 'retry' | 'postpone' | 'dead';
  status?: number;
  /** The envelope's code, or the connection error's. */
  code?: string;
  requestId?: string;
  replayed?: boolean;
  envelope?: Envelope;
  /** The answer's text, capped and redacted. */
  body?: string;
  /** The wait that followed, and why it was that long. */
  wait?: Wait;
  because?: string;
  /** Starts before this one that left no record: their worker died or lost its lock. */
  lost?: number;
  worker?: string;
}

export interface Journal {
  /** 0, and one more with each replay. */
  generation: number;
  /** Every attempt that was spent, in order. */
  attempts: Attempt[];
  /** How many starts spent none; a 409 in progress may come back thousands of times, so only the newest is kept. */
  postponed: number;
  lastPostponed?: Attempt;
  /** One of the postponed starts may have been applied. */
  postponedInDoubt?: true;
  /** Epoch ms of the first postponement that was not a stopped worker's. */
  postponedSince?: number;
  /** Unrecorded starts accounted for so far. */
  lost: number;
  /** Epoch ms at which the API may first have seen the key; missing while nothing can have reached it. */
  firstSentAt?: number;
  /**
   * What a replay takes over from the generation before: it was in doubt, which the API can still settle under the
   * same living key; or for good, when an operator accepted that the write may be applied twice.
   */
  doubtBefore?: 'settleable' | 'final';
  /** Begun by a probe: it has one attempt, whatever the policy says. A program of before sends it as a replay. */
  probe?: true;
}

export const emptyJournal = (generation = 0): Journal => ({ generation, attempts: [], postponed: 0, lost: 0 });

/** Bodies of all but the newest attempt are cut to this many characters: five attempts must not weigh 320 KB. */
const OLDER_BODY_LENGTH = 1024;

/** The journal without the answers' texts: what is kept of a write that was delivered in the end. */
export function withoutBodies(journal: Journal): Journal {
  const lean = ({ body: _body, ...entry }: Attempt): Attempt => entry;
  return {
    ...journal,
    attempts: journal.attempts.map(lean),
    ...(journal.lastPostponed && { lastPostponed: lean(journal.lastPostponed) }),
  };
}

/** Reads what stands in a job's `progress`; anything else there (a plain producer's number) is an empty journal. */
export const readJournal = (value: unknown): Journal => (isJournal(value) ? value : emptyJournal());

/** A journal stood there that can be read no more: what it said of earlier sends is not known. */
export const isDamagedJournal = (value: unknown): boolean =>
  isRecord(value) && value.attempts !== undefined && !isJournal(value);

/** What takes the place of a journal that is no JSON, in Redis. */
export const DAMAGED_JOURNAL = '{"attempts":null}';

/**
 * In the place of a damaged journal of a write that was replayed: of what was before, nothing is known but that it was.
 * Its key counts as ended, so that it is not sent again without a person's word.
 */
export const unknownJournal = (generation: number): Journal => ({
  ...emptyJournal(generation),
  doubtBefore: 'final',
  firstSentAt: 0,
});

function isJournal(value: unknown): value is Journal {
  if (!isRecord(value)) return false;
  const { generation, attempts, postponed, lost } = value;
  const counts = [generation, postponed, lost].every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  return (
    counts &&
    Array.isArray(attempts) &&
    attempts.every((entry) => isRecord(entry) && typeof entry.evidence === 'string')
  );
}

/**
 * Starts that left no record: all starts less the recorded attempts, postponements and lost ones, and less the
 * current one. The counter of starts says too much: every postponement raises it.
 * @param starts how often the job was started, the current start included
 */
export function unrecordedStarts(journal: Journal, starts: number): number {
  return Math.max(0, starts - 1 - journal.attempts.length - journal.postponed - journal.lost);
}

/**
 * The journal with one more entry; the given one is left as it is.
 * @param lostAt when the first of the entry's lost starts began, epoch ms
 */
export function record(journal: Journal, entry: Attempt, lostAt?: number): Journal {
  const lost = entry.lost ?? 0;
  const sentAt = Math.min(
    firstSentAt(journal, lost, lostAt) ?? Infinity,
    entry.outcome === 'response' || entry.outcome === 'no-answer' ? entry.at : Infinity,
  );
  const base: Journal = { ...journal, lost: journal.lost + lost, ...(sentAt < Infinity && { firstSentAt: sentAt }) };
  if (entry.disposition !== 'postpone') return { ...base, attempts: [...journal.attempts.map(withoutLongBody), entry] };
  const inDoubt = entry.evidence === 'doubt' || lost > 0;
  const since = journal.postponedSince ?? (isStop(entry) ? undefined : entry.at);
  return {
    ...base,
    postponed: journal.postponed + 1,
    ...(since !== undefined && { postponedSince: since }),
    lastPostponed: entry,
    ...(inDoubt && { postponedInDoubt: true as const }),
  };
}

/**
 * When the API may first have seen the key, in epoch ms; undefined while nothing can have reached it. The key's life
 * counts from there (docs/decisions/0006).
 * @param lost starts without a record since the last entry
 * @param lostAt when the first of them began
 */
export function firstSentAt(journal: Journal, lost: number, lostAt = 0): number | undefined {
  if (lost === 0) return journal.firstSentAt;
  return Math.min(journal.firstSentAt ?? Infinity, lostAt);
}

/** Its worker was stopped; that may happen as often as it will. */
const isStop = ({ outcome, code }: Attempt): boolean =>
  outcome !== 'response' && code !== undefined && classOf(code) === 'shutdown';

function withoutLongBody(entry: Attempt): Attempt {
  return entry.body !== undefined && entry.body.length > OLDER_BODY_LENGTH
    ? { ...entry, body: `${entry.body.slice(0, OLDER_BODY_LENGTH)}…` }
    : entry;
}
