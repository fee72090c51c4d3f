// A whole dead letter as a line of an export: its fields are those of `waybill dead-letters export`, what is masked
// stands there as a mask.
import { isJson } from '../../../core/mask.ts';
import { maskWrite, type Masking } from '../../../core/mask-write.ts';
import type { Attempt } from '../../../core/journal.ts';
import type { FiledLetter, UnreadableLetter } from '../../../queue/dead-letters.ts';
import { type Answers, answersTo } from './answers.ts';
import { textOf } from './sure.ts';

export function shownLetter(letter: FiledLetter | UnreadableLetter, masking: Masking): object {
  if ('unreadable' in letter) return letter;
  const answers = answersTo(letter.write, masking);
  const { write, raw, journal, envelope, because, requestId } = letter;
  const { lastPostponed } = journal;
  return {
    ...letter,
    because: answers.word(because),
    ...(typeof requestId === 'string' && { requestId: answers.word(requestId) }),
    ...(envelope && { envelope: envelopeOf(envelope, answers) }),
    journal: {
      ...journal,
      attempts: journal.attempts.map((entry) => entryOf(entry, answers)),
      ...(lastPostponed && { lastPostponed: entryOf(lastPostponed, answers) }),
    },
    ...(write && { write: writeOf(write, masking) }),
    ...(raw !== undefined && { raw: answers.body(raw) }),
  };
}

function writeOf(write: NonNullable<FiledLetter['write']>, masking: Masking): object {
  const { body: _body, headers: _headers, ...rest } = write;
  const { headers, body, pointers, names, hidden } = maskWrite(write, masking);
  return {
    ...rest,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(body !== undefined && { body }),
    ...(pointers.length > 0 && { maskedBody: pointers }),
    ...(names.length > 0 && { maskedHeaders: names }),
    ...(hidden !== undefined && { hidden }),
  };
}

const entryOf = (entry: Attempt, answers: Answers): Attempt => ({
  ...entry,
  ...(typeof entry.code === 'string' && { code: answers.word(entry.code) }),
  ...(typeof entry.requestId === 'string' && { requestId: answers.word(entry.requestId) }),
  ...(typeof entry.body === 'string' && { body: answers.body(entry.body) }),
  ...(typeof entry.because === 'string' && { because: answers.word(entry.because) }),
  ...(entry.envelope && { envelope: envelopeOf(entry.envelope, answers) }),
});

/** What the API said, without what is masked. */
export function envelopeOf(
  { code, message, details }: NonNullable<FiledLetter['envelope']>,
  answers: Answers,
): NonNullable<FiledLetter['envelope']> {
  return {
    code: answers.word(textOf(code)),
    ...(typeof message === 'string' && { message: answers.text(message) }),
    ...(typeof details === 'string' && { details: asJson(answers.body(details)) }),
  };
}

/** A number that was taken out leaves what is no JSON any more. */
const asJson = (text: string): string => (isJson(text) ? text : JSON.stringify(text));
