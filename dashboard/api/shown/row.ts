// A dead letter as a row of the list.
import { DEAD_REASONS } from '../../../core/decide.ts';
import { fieldOf, MAX_CODE, MAX_MESSAGE, MAX_REQUEST_ID } from '../../../core/envelope.ts';
import type { Masking } from '../../../core/mask-write.ts';
import { VERDICTS } from '../../../core/verdict.ts';
import { MAX_PATH_LENGTH } from '../../../core/write.ts';
import type { FiledLetter, UnreadableLetter } from '../../../queue/dead-letters.ts';
import { generationOfLetter } from '../../../queue/keys.ts';
import { letterCode } from '../../../queue/letter-filter.ts';
import type { LetterRow } from '../contract/letters.ts';
import { type Answers, answersTo } from './answers.ts';
import { actOf } from './attempt.ts';
import { choice, count, line, number } from './sure.ts';

/** @param answers made of the same letter and masking, where somebody has them */
export function rowOf(
  letter: FiledLetter | UnreadableLetter,
  masking: Masking,
  answers: Answers = answersTo(letter.write, masking),
): LetterRow {
  const { id, destination, jobId, state, deadAt, acts } = letter;
  const last = acts.at(-1);
  const known = { id, destination, jobId, state, deadAt: count(deadAt), ...(last && { handled: actOf(last) }) };
  if ('unreadable' in letter) return { ...known, unreadable: letter.unreadable };
  const { envelope, write, journal } = letter;
  return {
    ...known,
    ...number('enqueuedAt', letter.enqueuedAt),
    ...line('idempotencyKey', write?.idempotencyKey, 255),
    ...choice('reason', letter.reason, DEAD_REASONS),
    ...line('because', letter.because, MAX_MESSAGE, answers.word),
    ...choice('verdict', letter.verdict, VERDICTS),
    ...number('status', letter.status),
    ...line('code', letterCode(letter), MAX_CODE, answers.word),
    ...line('field', fieldOf(envelope), MAX_CODE, answers.word),
    ...line('message', envelope?.message, MAX_MESSAGE, answers.text),
    ...line('requestId', letter.requestId, MAX_REQUEST_ID, answers.word),
    ...line('method', write?.method, 20),
    ...line('path', write?.path, MAX_PATH_LENGTH),
    attempts: journal.attempts.length,
    generation: generationOfLetter(id) ?? journal.generation,
    ...number('keyUsableUntil', letter.keyUsableUntil),
    ...number('keyExpiresAt', letter.keyExpiresAt),
  };
}
