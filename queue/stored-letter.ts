// A dead letter as Redis keeps it: without what its key, its job and its journal say already, since a hundred thousand of
// them have to fit. What is left out is put back when it is read, to the letter: a value that does not follow is kept.
import type { Envelope } from '../core/envelope.ts';
import type { Attempt, Journal } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';
import { type DeadLetter, impliedBy } from './letter.ts';

type Fields = Record<string, unknown>;

/** Longer JSON stays text: Redis' own reader of JSON gives up at 1,000 levels. */
const MAX_OPENED = 1000;

const IMPLIED_OF_WRITE: Fields = { method: 'POST' };

/** @returns JSON */
export function storedLetter(letter: DeadLetter): string {
  const { id: _id, destination: _destination, jobId: _jobId, deadAt: _deadAt, journal, write, ...more } = letter;
  const { keyUsableUntil, keyExpiresAt, ...rest } = more;
  return JSON.stringify({
    ...without(rest, { ...impliedBy(journal, letter.lost), lost: 0 }),
    ...(rest.keyFirstSentAt !== undefined &&
      keyExpiresAt !== undefined &&
      keyUsableUntil !== undefined && {
        keyTtlMs: keyExpiresAt - rest.keyFirstSentAt,
        keyMarginMs: keyExpiresAt - keyUsableUntil,
      }),
    journal: storedJournal(journal, letter.because),
    ...(write && { write: openedIn(without(write, IMPLIED_OF_WRITE), 'body') }),
  });
}

/**
 * @param stored as `storedLetter` made it, parsed
 * @param known what the letter's key and job say
 * @returns undefined where the stored is no such letter
 */
export function wholeLetter(
  stored: Fields,
  known: Pick<DeadLetter, 'id' | 'destination' | 'jobId' | 'deadAt'>,
): Fields | undefined {
  const journal = wholeJournal(stored.journal, stored.because);
  if (!journal) return undefined;
  const lost = typeof stored.lost === 'number' ? stored.lost : 0;
  const { write, keyTtlMs, keyMarginMs, ...rest } = stored;
  const whole = withImplied({ lost, ...rest }, impliedBy(journal, lost));
  const keyExpiresAt = Number(whole.keyFirstSentAt) + Number(keyTtlMs);
  return {
    ...known,
    ...whole,
    ...(Number.isFinite(keyExpiresAt) && { keyExpiresAt, keyUsableUntil: keyExpiresAt - Number(keyMarginMs) }),
    journal,
    ...(isRecord(write) && { write: withImplied(closedIn(write, 'body'), IMPLIED_OF_WRITE) }),
  };
}

function storedJournal({ attempts, ...rest }: Journal, because: string): Fields {
  return {
    ...without(rest, impliedOfJournal(attempts)),
    ...(attempts.length > 1 && { alike: 1 }),
    attempts: attempts.map((entry, i) => {
      const implied = { ...impliedOfAttempt(entry, i, attempts.length, because), ...alike(attempts, i) };
      const { envelope, ...lean } = without(entry, implied);
      return {
        ...openedIn(lean, 'body'),
        ...(envelope !== undefined && { envelope: envelope && openedIn(envelope as Fields, 'details') }),
      };
    }),
  };
}

function wholeJournal(stored: unknown, because: unknown): Journal | undefined {
  if (!isRecord(stored) || !Array.isArray(stored.attempts)) return undefined;
  const { alike: isAlike, ...rest } = stored;
  const entries: unknown[] = stored.attempts;
  if (!entries.every(isRecord)) return undefined;
  const attempts: Attempt[] = [];
  for (const [i, entry] of entries.entries()) {
    const { envelope } = entry;
    const closed = closedIn(isRecord(envelope) ? { ...entry, envelope: closedIn(envelope, 'details') } : entry, 'body');
    // Letters of before say it all of each attempt.
    const own = isAlike === 1 ? withImplied(closed, alike(attempts, i, entries.length)) : closed;
    attempts.push(withImplied(own, impliedOfAttempt(own, i, entries.length, because)) as unknown as Attempt);
  }
  return { ...withImplied(rest, impliedOfJournal(attempts)), attempts } as Journal;
}

/** What an attempt mostly has in common with the one before it: of a write that died after five, nearly everything. */
function alike(attempts: readonly Attempt[], index: number, count = attempts.length): Fields {
  const before = attempts[index - 1];
  if (!before) return {};
  const { evidence, status, worker, envelope, because } = before;
  // Why the last one was the last, the letter says.
  return { evidence, status, worker, envelope, ...(index < count - 1 && { because }) };
}

function impliedOfJournal(attempts: readonly Attempt[]): Fields {
  const sent = attempts.find(({ outcome }) => outcome === 'response' || outcome === 'no-answer');
  return { generation: 0, postponed: 0, lost: 0, firstSentAt: sent?.at };
}

function impliedOfAttempt(
  { status, envelope, requestId }: Partial<Attempt>,
  index: number,
  count: number,
  because: unknown,
): Fields {
  const isLast = index === count - 1;
  return {
    attempt: index + 1,
    outcome: status === undefined ? 'no-answer' : 'response',
    disposition: isLast ? 'dead' : 'retry',
    because: isLast ? because : undefined,
    code: envelope?.code,
    body: envelope && bodyOf(envelope, requestId),
  };
}

/** The answer as docs/contract.md writes it, which most answers are. */
function bodyOf({ code, message, details }: Envelope, requestId: string | undefined): string {
  const named = { code, message, request_id: requestId };
  const fields = JSON.stringify(named);
  return details === undefined ? fields : `${fields.slice(0, -1)},"details":${details}}`;
}

/** The fields that do not follow; `null` where what would follow is not there. */
function without(fields: object, implied: Fields): Fields {
  const kept: Fields = { ...fields };
  for (const [name, value] of Object.entries(implied)) {
    if (isSame(kept[name], value)) delete kept[name];
    else if (kept[name] === undefined) kept[name] = null;
  }
  return kept;
}

function withImplied(stored: Fields, implied: Fields): Fields {
  const whole = { ...implied, ...stored };
  for (const [name, value] of Object.entries(whole)) {
    if (value === undefined || (value === null && name in implied)) delete whole[name];
  }
  return whole;
}

const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** JSON text as the object that it says, which takes no backslashes and is easier to read; only where it comes back the same. */
function opened(text: string): unknown {
  if (text.length > MAX_OPENED || !/^[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : text;
  } catch {
    return text;
  }
}

const openedIn = (fields: Fields, name: string): Fields =>
  typeof fields[name] === 'string' ? { ...fields, [name]: opened(fields[name]) } : fields;

const closedIn = (fields: Fields, name: string): Fields =>
  typeof fields[name] === 'object' && fields[name] !== null
    ? { ...fields, [name]: JSON.stringify(fields[name]) }
    : fields;
