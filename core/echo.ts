// What an API repeats of the values that people must not see: taken out of its answers, in whatever form they stand there.
import { MAX_REQUEST_ID } from './envelope.ts';
import { maskWrite, type Masking } from './mask-write.ts';
import { encodedForms, MASK, MIN_SECRET_LENGTH, redactor } from './redact.ts';
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
const MAX_PIECES = 500;
const MAX_CHARACTERS = 16_384;

/** @param values what is masked, those shorter than MIN_SECRET_LENGTH are left; undefined where it cannot be told */
export function echoCleaner(values: readonly string[] | undefined): EchoCleaner {
  if (!values) return { word: asItIs, text: () => HIDDEN_TEXT };
  const pieces = piecesOf(values);
  if (pieces.length === 0) return { word: asItIs, text: asItIs };
  const characters = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (pieces.length > MAX_PIECES || characters > MAX_CHARACTERS)
    return { word: (text) => (repeats(text, pieces) ? MASK : text), text: () => HIDDEN_TEXT };
  let redact: ((text: string) => string) | undefined;
  const clean = (text: string): string => {
    redact ??= redactor(pieces);
    return withoutCutTail(redact(text), pieces);
  };
  return { word: clean, text: clean };
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
    cleaner ??= echoCleaner(maskWrite(write, masking).values);
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
      pieces.add(value.slice(Math.min(from, Math.max(0, value.length - MIN_SECRET_LENGTH)), from + PIECE));
  }
  return [...pieces];
}

/** Of a short text this is quick, however many pieces there are. */
function repeats(word: string, pieces: readonly string[]): boolean {
  const said = word
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\(.)/g, '$1')
    .toLowerCase();
  const whole = said.length >= MIN_SECRET_LENGTH;
  return pieces.some((piece) =>
    encodedForms(piece).some((form) => {
      const sought = form.toLowerCase();
      return said.includes(sought) || (whole && sought.includes(said));
    }),
  );
}

/** Marks of a cap that are looked at. */
const MAX_CUTS = 50;

/** Answers are capped, at the end or before a "…": the beginning of an echo that was cut in two may stand there. */
function withoutCutTail(text: string, pieces: readonly string[]): string {
  const parts = text.split('…');
  return parts.map((part, i) => (i < parts.length - MAX_CUTS ? part : withoutTail(part, pieces))).join('…');
}

function withoutTail(text: string, pieces: readonly string[]): string {
  for (const piece of pieces) {
    for (let length = Math.min(piece.length, text.length); length >= MIN_SECRET_LENGTH; length--) {
      if (text.endsWith(piece.slice(0, length))) return `${text.slice(0, -length)}${MASK}`;
    }
  }
  return text;
}
