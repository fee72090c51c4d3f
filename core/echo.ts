// What an API repeats of the values that people must not see: taken out of its answers, in whatever form they stand there.
import { MAX_REQUEST_ID } from './envelope.ts';
import { maskWrite, type Masking } from './mask-write.ts';
import { encodedForms, MASK, MIN_SECRET_LENGTH, redactor, withoutEscapes } from './redact.ts';
import type { Write } from './write.ts';

/** In the place of a text that may hold what there is too much of to look for. */
export const HIDDEN_TEXT = '(hidden: it may repeat what is masked)';

export interface EchoCleaner {
  /** A short text that is needed to act on an answer: a code, a field, a request_id. */
  word: (text: string) => string;
  /** Anything else of an answer. */
  text: (text: string) => string;
}

/** A longer value is looked for in pieces: whole base64 groups, so that its encoded form is in pieces too. */
const PIECE = 96;
/** More to look for in long texts makes every answer slow, and is seldom more than a few. */
const MAX_PIECES = 50;
const MAX_CHARACTERS = 1024;
/** Of more than these only the values themselves are looked for, not what they are when encoded. */
const MAX_ENCODED_PIECES = 1000;

/**
 * Nothing is made before the first text: most writes are delivered, and nothing of their answers is kept.
 * @param valuesOf what is masked, those shorter than MIN_SECRET_LENGTH are left; undefined where it cannot be told
 */
export function echoCleaner(valuesOf: () => readonly string[] | undefined): EchoCleaner {
  let made: EchoCleaner | undefined;
  const cleaner = (): EchoCleaner => (made ??= cleanerOf(valuesOf()));
  return { word: (text) => cleaner().word(text), text: (text) => cleaner().text(text) };
}

function cleanerOf(values: readonly string[] | undefined): EchoCleaner {
  if (!values) return { word: asItIs, text: () => HIDDEN_TEXT };
  const pieces = piecesOf(values);
  const sought = pieces.map((piece) => soughtAs(piece, pieces.length <= MAX_ENCODED_PIECES));
  const characters = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (pieces.length > MAX_PIECES || characters > MAX_CHARACTERS)
    return { word: (text) => (repeats(text, sought) ? MASK : text), text: () => HIDDEN_TEXT };
  // To compile a pattern costs more than to look at many texts: only of what was found.
  const found = new Set<string>();
  let redact = asItIs;
  const clean = (text: string, hidden: string): string => {
    const { whole, cut } = piecesIn(text, sought);
    const before = found.size;
    for (const piece of [...whole, ...cut]) found.add(piece);
    if (found.size > before) redact = redactor([...found]);
    const cleaned = redact(text);
    // It stands there, in a writing that the pattern does not know.
    return whole.length > 0 && cleaned === text ? hidden : cleaned;
  };
  return { word: (text) => clean(text, MASK), text: (text) => clean(text, HIDDEN_TEXT) };
}

/**
 * Takes the masked values of one write out of what is about to be stored of its answers, so that no reader of them can
 * show one.
 * @param keep codes that the rules know by name: a value that is one of them hides nothing of the write
 */
export function answerCleaner(write: Write, masking: Masking, keep: readonly string[]): (text: string) => string {
  if (masking !== 'all' && masking.body.length + masking.headers.length === 0) return asItIs;
  let cleaner: EchoCleaner | undefined;
  return (text) => {
    if (keep.includes(text)) return text;
    cleaner ??= echoCleaner(() => maskWrite(write, masking).values);
    return text.length <= MAX_REQUEST_ID ? cleaner.word(text) : cleaner.text(text);
  };
}

const asItIs = (text: string): string => text;

function piecesOf(values: readonly string[]): string[] {
  const pieces = new Set<string>();
  for (const value of values) {
    if (value.length < MIN_SECRET_LENGTH) continue;
    // The rest of a long value is never too short to be looked for.
    for (let from = 0; from < value.length; from += PIECE)
      pieces.add(value.slice(Math.min(from, value.length - MIN_SECRET_LENGTH), from + PIECE));
  }
  return [...pieces];
}

interface Sought {
  piece: string;
  forms: string[];
}

const soughtAs = (piece: string, encoded: boolean): Sought => ({
  piece,
  forms: [...new Set((encoded ? encodedForms(piece) : [piece]).flatMap(saidIn))],
});

/**
 * A text whatever its case, as it is and with escapes resolved, both without backslashes. In capitals, for what a small
 * letter is depends on where it stands.
 */
function saidIn(text: string): string[] {
  const plain = text.replaceAll('\\', '').toUpperCase();
  return /[\\%&]/.test(text) ? [plain, withoutEscapes(text).toUpperCase()] : [plain];
}

/** What may stand in a text: the pattern, which is slow to make, need not be made for anything else. */
function piecesIn(text: string, sought: readonly Sought[]): { whole: string[]; cut: string[] } {
  const said = saidIn(text);
  const ends = said.flatMap((one) => one.split('…').slice(-MAX_CUTS)).map((part) => part.slice(-LONGEST_END));
  const withForm = (stands: (form: string) => boolean): string[] =>
    sought.filter(({ forms }) => forms.some(stands)).map(({ piece }) => piece);
  return {
    whole: withForm((form) => said.some((one) => one.includes(form))),
    cut: withForm((form) => ends.some((end) => isCutIn(end, form))),
  };
}

/** Marks of a cap that are looked at. */
const MAX_CUTS = 50;
/** A piece is longest in base64, or where each of its characters is three bytes of a URL. */
const LONGEST_END = PIECE * 9;

/** Answers are capped, at the end or before a "…": the beginning of an echo that was cut in two may stand there. */
function isCutIn(end: string, form: string): boolean {
  const head = form.slice(0, MIN_SECRET_LENGTH);
  for (let at = end.indexOf(head); at !== -1; at = end.indexOf(head, at + 1))
    if (form.startsWith(end.slice(at))) return true;
  return false;
}

/** A part of a value is enough, where the text is no more than that. */
function repeats(word: string, sought: readonly Sought[]): boolean {
  const said = saidIn(word);
  return sought.some(({ forms }) =>
    forms.some((form) =>
      said.some((one) => one.includes(form) || (one.length >= MIN_SECRET_LENGTH && form.includes(one))),
    ),
  );
}
