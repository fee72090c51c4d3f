// A part of what people can see of a letter. What is masked is not searched: whoever may ask often enough would read it
// off the answers, a character at a time.
import { maskWrite, type Masking } from '../../core/mask-write.ts';
import type { FiledLetter, UnreadableLetter } from '../../queue/dead-letters.ts';
import { matches } from '../../queue/letter-filter.ts';
import { answersTo } from './shown/answers.ts';
import { maskingOf } from './shown/masking.ts';

export function holdsShownText(letter: FiledLetter | UnreadableLetter, text: string, masking: Masking): boolean {
  // Quick, and of most letters the answer.
  if ('unreadable' in letter || !matches(letter, { text })) return false;
  const { write, envelope } = letter;
  const sought = text.toLowerCase();
  const holds = (part: string | undefined): boolean => part?.toLowerCase().includes(sought) === true;
  const shown = write && maskWrite(write, masking);
  const message = envelope?.message && answersTo(write, masking).text(envelope.message);
  return holds(write?.path) || holds(shown?.body) || holds(message);
}

/** Whether texts of this destination may be searched by what does not know of masks. */
export function masksNothing(config: Parameters<typeof maskingOf>[0], destination: string): boolean {
  const masking = maskingOf(config, destination);
  return masking !== 'all' && masking.body.length + masking.headers.length === 0;
}
