// What an API answered, as people may see it: an answer often repeats the write, masked values among it. Those are taken
// out of every text; where they cannot be told, texts that could hold them are not shown.
import { echoCleaner } from '../../../core/echo.ts';
import { maskWrite, type Masking } from '../../../core/mask-write.ts';
import type { Write } from '../../../core/write.ts';

export interface Answers {
  /** A short text of the answer that is needed to act on it: a code, a field, a request_id. */
  word: (text: string) => string;
  /** A sentence of the API's. */
  text: (text: string) => string;
  /** A body, or details. */
  body: (text: string) => string;
}

const asItIs = (text: string): string => text;
const HIDDEN_BODY = '(hidden: the redaction rules of this destination are not known here)';

/** @param write whose answers they are; undefined where it is not at hand */
export function answersTo(write: Write | undefined, masking: Masking): Answers {
  if (masking !== 'all' && masking.body.length + masking.headers.length === 0)
    return { word: asItIs, text: asItIs, body: asItIs };
  const { word, text } = echoCleaner(() => write && maskWrite(write, masking).values);
  return { word, text, body: masking === 'all' ? () => HIDDEN_BODY : text };
}
