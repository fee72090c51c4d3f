// What an API answered, as people may see it: an answer often repeats the write, masked values among it. Those are taken
// out of every text; where they cannot be told, texts that could hold them are not shown.
import { maskWrite, type Masking } from '../../../core/mask-write.ts';
import { MIN_SECRET_LENGTH, redactor } from '../../../core/redact.ts';
import type { Write } from '../../../core/write.ts';

export interface Answers {
  /** A short text of the answer that is needed to act on it: a code, a field, a request_id. */
  word: (text: string) => string;
  /** A sentence of the API's. */
  text: (text: string) => string;
  /** A body, or details. */
  body: (text: string) => string;
}

const AS_IT_IS: Answers = { word: (text) => text, text: (text) => text, body: (text) => text };
const HIDDEN_TEXT = '(hidden: it may repeat what is masked)';
const HIDDEN_BODY = '(hidden: the redaction rules of this destination are not known here)';
/** A longer value is looked for in pieces: whole base64 groups, so that its encoded form is in pieces too. */
const PIECE = 96;
/** More to look for makes every answer slow, and is seldom more than a few. */
const MAX_PIECES = 500;
const MAX_CHARACTERS = 16_384;

/** @param write whose answers they are; undefined where it is not at hand */
export function answersTo(write: Write | undefined, masking: Masking): Answers {
  if (masking !== 'all' && masking.body.length + masking.headers.length === 0) return AS_IT_IS;
  const pieces = write && piecesOf(maskWrite(write, masking).values);
  if (!pieces) return { word: AS_IT_IS.word, text: () => HIDDEN_TEXT, body: () => HIDDEN_TEXT };
  const clean = cleaner(pieces);
  return { word: clean, text: clean, body: masking === 'all' ? () => HIDDEN_BODY : clean };
}

/** @returns undefined where there is too much to look for, or nobody knows what */
function piecesOf(values: readonly string[] | undefined): string[] | undefined {
  const sought = new Set<string>();
  let characters = 0;
  for (const value of values ?? []) {
    if (value.length < MIN_SECRET_LENGTH) continue;
    for (let from = 0; from < value.length; from += PIECE) {
      // The rest of a long value is never too short to be looked for.
      const piece = value.slice(Math.min(from, Math.max(0, value.length - MIN_SECRET_LENGTH)), from + PIECE);
      if (sought.has(piece)) continue;
      sought.add(piece);
      characters += piece.length;
      if (sought.size > MAX_PIECES || characters > MAX_CHARACTERS) return undefined;
    }
  }
  return values && [...sought];
}

function cleaner(pieces: readonly string[]): (text: string) => string {
  if (pieces.length === 0) return AS_IT_IS.text;
  let redact: ((text: string) => string) | undefined;
  return (text) => {
    redact ??= redactor(pieces);
    return withoutCutTail(redact(text), pieces);
  };
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
      if (text.endsWith(piece.slice(0, length))) return `${text.slice(0, -length)}[redacted]`;
    }
  }
  return text;
}
