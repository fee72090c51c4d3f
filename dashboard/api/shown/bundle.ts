// What one sends to an API's support: which requests, when, what was answered under which request_id, and how to do the
// same again. Plain text; what is masked is masked.
import type { Config } from '../../../core/config.ts';
import { MAX_CODE, MAX_MESSAGE, MAX_REQUEST_ID, printable } from '../../../core/envelope.ts';
import type { Journal } from '../../../core/journal.ts';
import type { FiledLetter, UnreadableLetter } from '../../../queue/dead-letters.ts';
import { type Answers, answersTo } from './answers.ts';
import { attemptOf } from './attempt.ts';
import { curlOf } from './curl.ts';
import { maskingOf } from './masking.ts';

type Letter = FiledLetter | UnreadableLetter;
type Settings = Pick<Config, 'destinations' | 'dashboard'>;

/**
 * @param about which letters these are, in words: the group, the filter
 * @param now epoch ms
 * @returns the text in pieces, one for each letter
 */
export async function* bundleOf(
  letters: Iterable<Letter> | AsyncIterable<Letter>,
  about: string,
  config: Settings,
  now: number,
): AsyncGenerator<string> {
  yield `Requests that failed: ${printable(about, MAX_MESSAGE)}\nTimes are UTC; written at ${isoTime(now)}. Values in [masked …] were left out on purpose.\n`;
  let n = 0;
  for await (const letter of letters) yield `\n${entryOf(letter, (n += 1), config)}`;
  if (n === 0) yield '\nNone.\n';
}

function entryOf(letter: Letter, n: number, config: Settings): string {
  if ('unreadable' in letter) return `${n}. ${printable(letter.id, MAX_CODE)}: ${letter.unreadable}\n`;
  const { write, journal, id, destination } = letter;
  const answers = answersTo(write, maskingOf(config, destination));
  const sent = write ? printable(`${write.method} ${write.path}`, MAX_MESSAGE) : '(no write)';
  return [
    `${n}. ${sent}   (dead letter ${printable(id, MAX_CODE)} at ${destination})`,
    ...attemptsOf(journal, answers),
    ...(write ? [curlOf(write, destination, config)] : []),
    '',
  ].join('\n');
}

function attemptsOf(journal: Journal, answers: Answers): string[] {
  if (journal.attempts.length === 0) return ['   no attempt on record'];
  return journal.attempts.map((entry) => {
    const { at, answer, requestId, message } = attemptOf(entry, answers);
    const id = requestId === undefined ? 'no request_id' : `request_id ${printable(requestId, MAX_REQUEST_ID)}`;
    return `   ${isoTime(at)}  ${answer}  ${id}${message === undefined ? '' : `  ${message}`}`;
  });
}

function isoTime(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '(no time)' : time.toISOString();
}
