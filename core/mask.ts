// Masks: values of a body that people must not see are shown as `"[masked 1]"`, and come back where an edited text has
// the mask in its own place. A mask anywhere else is refused, so that none is ever sent for the value that it hides.
import { WaybillError } from './errors.ts';
import { type JsonPath, type JsonVisitor, pointerOf, stringAt, walkJson } from './json-walk.ts';
import { bodyText } from './write.ts';

export interface MaskedBody {
  /** Valid JSON; every byte outside the masks is the original's. */
  text: string;
  /** The JSON pointers of what is masked: the first stands as mask 1. A name that stands twice in an object is there twice. */
  masked: string[];
  /** The texts of what is masked: strings without their quotes, and numbers. */
  values: string[];
}

/** The word in the masks of one write, which stands in no text of it: `masked`, or `masked-2` where it does. */
export interface MaskWord {
  word: string;
  /** Whether a text has the beginning of a mask in it. */
  isIn: (text: string) => boolean;
}

const BEGINNING = /\[masked(?:-(\d{1,9}))?/gi;

/** @param texts all that the write says, escapes resolved */
export function maskWordFor(texts: Iterable<string>): MaskWord {
  const used = new Set<number>();
  for (const text of texts) for (const [, n = '1'] of text.matchAll(BEGINNING)) used.add(Number(n));
  let n = 1;
  while (used.has(n)) n += 1;
  const word = n === 1 ? 'masked' : `masked-${n}`;
  const pattern = new RegExp(n === 1 ? String.raw`\[masked(?!-\d)` : String.raw`\[${word}(?!\d)`, 'i');
  return { word, isIn: (text) => pattern.test(text) };
}

/** @returns every string of a JSON text, names among them; a text that is no JSON alone */
export function stringsOf(text: string): string[] {
  if (!isJson(text)) return [text];
  const strings: string[] = [];
  walkJson(text, { string: (_path, from, to) => void strings.push(stringAt(text, from, to)) });
  return strings;
}

/**
 * Masks what the pointers name, where it is there.
 * @param pointers RFC 6901; `*` is any name or index
 * @returns undefined for a text that is no JSON, in which nothing can be found: none of it may be shown
 */
export function maskBody(text: string, pointers: readonly string[], { word }: MaskWord): MaskedBody | undefined {
  if (pointers.length === 0) return { text, masked: [], values: [] };
  const places = placesOf(text, pointers);
  if (!places) return undefined;
  return {
    text: splice(
      text,
      places.map(({ from, to }, i) => ({ from, to, text: `"[${word} ${i + 1}]"` })),
    ),
    masked: places.map(({ pointer }) => pointer),
    values: places.flatMap((place) => leavesOf(place.text)),
  };
}

/**
 * The text to send for one that was edited with its masks in it: each mask becomes the original's bytes again.
 * @param original as it was masked, by the same pointers; undefined for a write without a body
 * @throws WaybillError INVALID_WRITE when the edited text is no JSON · MASK_MISPLACED, naming where, for a mask that
 *   stands in another place than it was put, in a part of a string, in a name, or twice, and for one that hides nothing
 */
export function unmaskBody(
  edited: string,
  original: string | undefined,
  pointers: readonly string[],
  { word, isIn }: MaskWord,
): string {
  bodyText(edited);
  const places = original === undefined ? undefined : placesOf(original, pointers);
  const used = new Set<number>();
  const back: Splice[] = [];
  walkJson(edited, {
    string(path, from, to, isName) {
      const said = stringAt(edited, from, to);
      if (!isIn(said)) return;
      const pointer = pointerOf(path);
      const n = Number(said.slice(word.length + 2, -1));
      const place = said === `[${word} ${n}]` && !isName && !used.has(n) ? places?.[n - 1] : undefined;
      if (place?.pointer !== pointer) throw misplaced(`body${pointer}`, word);
      used.add(n);
      back.push({ from, to, text: place.text });
    },
  });
  return splice(edited, back);
}

/** @param field where it stands: `body/card/number`, `headers.x-signature`, `path` */
export const misplaced = (field: string, word: string): WaybillError =>
  new WaybillError(
    'MASK_MISPLACED',
    `${field.slice(0, 300)}: a mask stands for its value in its own place alone: leave "[${word} …]" as and where it was shown, or put a value in its stead`,
    { field: field.slice(0, 300) },
  );

interface Found extends Splice {
  pointer: string;
}

/** Where the values stand that the pointers name; of a value inside another the outer one alone. Undefined for no JSON. */
function placesOf(text: string, pointers: readonly string[]): Found[] | undefined {
  if (!isJson(text)) return undefined;
  const takes = matcher(pointers);
  const found: Found[] = [];
  const taken: JsonVisitor['taken'] = (path, from, to) =>
    void found.push({ pointer: pointerOf(path), from, to, text: text.slice(from, to) });
  walkJson(text, { takes, taken });
  return found;
}

function matcher(pointers: readonly string[]): (path: JsonPath) => boolean {
  const byLength = new Map<number, string[][]>();
  for (const pointer of pointers) {
    const steps = pointer.split('/').slice(1);
    const plain = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    byLength.set(plain.length, [...(byLength.get(plain.length) ?? []), plain]);
  }
  return (path) =>
    byLength.get(path.length)?.some((steps) => steps.every((step, i) => step === '*' || step === String(path[i]))) ??
    false;
}

/** What a JSON text says: the strings and numbers in it, names not among them. */
export function leavesOf(text: string): string[] {
  const leaves: string[] = [];
  walkJson(text, {
    string(_path, from, to, isName) {
      if (!isName) leaves.push(stringAt(text, from, to));
    },
    scalar: (_path, from, to) => void leaves.push(text.slice(from, to)),
  });
  return leaves;
}

interface Splice {
  from: number;
  to: number;
  text: string;
}

/** @param parts in order, none over another */
function splice(text: string, parts: readonly Splice[]): string {
  let end = 0;
  const out: string[] = [];
  for (const part of parts) {
    out.push(text.slice(end, part.from), part.text);
    end = part.to;
  }
  return out.join('') + text.slice(end);
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
