// I6: a dead letter says what the plan and the API say: the last answer, the write as it goes out, when and why it died.
import { jobIdOf } from '../../core/write.ts';
import type { FiledLetter, UnreadableLetter } from '../../queue/dead-letters.ts';
import { letterId } from '../../queue/keys.ts';
import { isInProgress } from './api-answers.ts';
import type { JudgedPolicy } from './evidence.ts';
import { HELD_UP_MS, type JoinedAttempt } from './joined.ts';
import { bodyTextOf } from './judge-sends.ts';
import type { Look } from './judgement.ts';
import type { Entry } from './ledger.ts';
import { writeOf } from './load.ts';

/** A key is not used up to its very end: so much is left of its life, and an attempt's time. */
const MAX_MARGIN_MS = 5000;
const MARGIN_SHARE = 0.1;
/** The rounding of two clocks, and how long it may take from the look at the clock to the letter. */
const SLACK_MS = 5;

/** @param firstAt when the API first saw the key, epoch ms */
export function judgeLetter(
  look: Look,
  policy: JudgedPolicy,
  entry: Entry,
  letter: FiledLetter | UnreadableLetter,
  attempts: readonly JoinedAttempt[],
  { startedAt, firstAt }: { startedAt: number; firstAt: number | undefined },
): void {
  const is = (holds: boolean, what: string): void => look('I6', holds, `letter ${letter.id}: ${what}`);
  if ('unreadable' in letter) return is(false, 'cannot be read');
  const { reason, deadAt, enqueuedAt } = letter;
  const generation = letter.journal.generation;
  is(letter.jobId === jobIdOf(entry.key) && letter.id === letterId(letter.jobId, generation), 'has the id of another');
  const [from, until] = [startedAt - policy.clocksDifferMs, Date.now() + policy.clocksDifferMs];
  is(deadAt >= from && deadAt <= until, `died at ${deadAt}, outside of the campaign`);
  is(enqueuedAt >= from && enqueuedAt <= deadAt + policy.clocksDifferMs, `was taken in at ${enqueuedAt}`);
  judgeLastAnswer(is, policy, letter, attempts);
  judgeWrite(is, entry, letter);
  is(letter.because !== '', 'does not say why');
  if (entry.recordLost) return;
  is(reasonFits(policy, entry, letter, attempts, firstAt), `died as ${reason} (${letter.because})`);
}

type Is = (holds: boolean, what: string) => void;

/** Of the attempt that was answered last. */
function judgeLastAnswer(
  is: Is,
  policy: JudgedPolicy,
  { status, envelope, requestId }: FiledLetter,
  attempts: readonly JoinedAttempt[],
): void {
  const last = attempts.findLast(({ attempt }) => attempt.outcome === 'response');
  const said = last?.seen?.said;
  // An answer that the API did not give is told of elsewhere.
  if (last && !said) return;
  is(status === said?.status, `has HTTP ${status}, and the last answer was ${said?.status ?? 'none'}`);
  if (said === undefined) return is(envelope === undefined, 'has an envelope, and there was no answer');
  if (said.code === undefined) return;
  const isCut = policy.answersBreak && envelope?.code === `HTTP_${said.status}`;
  is(isCut || envelope?.code === said.code, `has the code ${envelope?.code}, and the API said ${said.code}`);
  is(
    isCut || envelope?.message === said.message,
    `has the message ${envelope?.message}, and the API said ${said.message}`,
  );
  is((requestId !== undefined) === said.hasRequestId, `has ${requestId === undefined ? 'no' : 'a'} request_id`);
}

function judgeWrite(is: Is, entry: Entry, { write, raw }: FiledLetter): void {
  if (!write && (entry.writeLost ?? entry.recordLost)) return;
  const { method, path } = entry.payload ?? writeOf(entry.plan);
  is(raw === undefined && write !== undefined, 'holds no write');
  if (!write) return;
  is(write.method === method && write.path === path, `would send ${write.method} ${write.path}`);
  is(write.body === bodyTextOf(entry), `would send the body ${write.body?.slice(0, 80)}`);
  is(write.idempotencyKey === entry.key, `bears the key ${write.idempotencyKey}`);
}

/** What may be told from the plan, and from what the API said to it; `crashed` is told by the losses. */
function reasonFits(
  policy: JudgedPolicy,
  entry: Entry,
  { reason, write, journal, lost, deadAt, enqueuedAt }: FiledLetter,
  attempts: readonly JoinedAttempt[],
  firstAt: number | undefined,
): boolean {
  const last = attempts.at(-1);
  const said = last?.seen?.said;
  switch (reason) {
    case 'crashed':
      return true;
    case 'invalid':
      return entry.writeLost === true && !write;
    case 'key-expired': {
      // A start that died may have begun the key's life before the API saw it.
      const hasLost = journal.lost + lost > 0;
      const sentAt = Math.min(firstAt ?? Infinity, attempts[0]?.attempt.at ?? Infinity);
      const since = hasLost || sentAt === Infinity ? enqueuedAt : sentAt;
      // When a postponed attempt began its journal need not say, and a busy API notes it later than it was sent.
      const slackMs = SLACK_MS + (journal.postponed > 0 ? HELD_UP_MS : 0);
      return deadAt + policy.clocksDifferMs + slackMs >= keyUsableUntil(policy, since);
    }
    case 'rejected':
      return (
        last?.attempt.outcome === 'response' &&
        said !== undefined &&
        (said.stored || (said.status < 500 && said.status !== 429 && !isInProgress(said)))
      );
    case 'exhausted':
      return (
        attempts.length === (journal.probe ? 1 : (write?.maxAttempts ?? policy.maxAttempts)) &&
        (last?.attempt.outcome !== 'response' ||
          (said !== undefined && (said.status >= 500 || said.status === 429 || policy.answersBreak)))
      );
    case 'too-late':
      return write?.expiresAt !== undefined && deadAt >= write.expiresAt;
  }
}

/** A key is not used when the attempt might outlast it. */
const keyUsableUntil = ({ keyTtlMs, timeoutMs }: JudgedPolicy, firstAt: number): number =>
  firstAt + keyTtlMs - timeoutMs - Math.min(MAX_MARGIN_MS, keyTtlMs * MARGIN_SHARE);
