// Keeps credentials out of what is stored, logged or shown, even when an API echoes them back.

/** In the place of what was taken out. */
export const MASK = '[redacted]';
/** Shorter values would blank out half of every answer; the configuration refuses them. */
export const MIN_SECRET_LENGTH = 6;

/**
 * Makes a function that replaces every secret in a text, also where it stands URL-encoded or in base64, and however a
 * JSON writer escaped its characters (PHP writes `\/`, Go and .NET `\u002B`). An answer may break off in the middle of one:
 * its beginning at the end of a text is replaced too.
 * @param secrets header values and passwords; those shorter than MIN_SECRET_LENGTH are ignored
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_LENGTH) continue;
    for (const form of encodedForms(secret)) forms.add(form);
  }
  if (forms.size === 0) return (text) => text;
  // Longest first, so that a form which contains another is replaced whole. The case of hex digits is free.
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(ordered.map((form) => Array.from(form, anyEscape).join('')).join('|'), 'gi');
  const beginnings = beginningsOf(forms);
  return (text) => withoutBeginning(text.replace(pattern, MASK), beginnings);
}

/** `\u002b` */
const LONGEST_ESCAPE = 6;
/** One character as JSON may write it, the last one perhaps not to its end. */
const WRITTEN = /\\u([0-9a-f]{4})|\\u?[0-9a-f]{0,3}$|\\?([^])/iy;

/** The forms of all secrets in lower case, by the character that each begins with. */
interface Beginnings {
  readonly all: readonly string[];
  readonly byFirst: ReadonlyMap<string | undefined, readonly string[]>;
  readonly longest: number;
}

function beginningsOf(forms: Iterable<string>): Beginnings {
  const all = [...new Set(Array.from(forms, (form) => form.toLowerCase()))];
  return { all, byFirst: Map.groupBy(all, (form) => form[0]), longest: Math.max(...all.map(({ length }) => length)) };
}

/** At least MIN_SECRET_LENGTH characters of a form, at the end of a text: a shorter beginning gives nothing away. */
function withoutBeginning(text: string, { all, byFirst, longest }: Beginnings): string {
  const last = text.length - MIN_SECRET_LENGTH;
  for (let start = Math.max(0, text.length - longest * LONGEST_ESCAPE); start <= last; start += 1) {
    const first = text[start];
    const forms = first === '\\' ? all : byFirst.get(first?.toLowerCase());
    if (forms?.some((form) => matchedToTheEnd(text, start, form) >= MIN_SECRET_LENGTH))
      return text.slice(0, start) + MASK;
  }
  return text;
}

/** How many characters of a form stand from `start` to the end of a text; 0 where anything else does. */
function matchedToTheEnd(text: string, start: number, form: string): number {
  let matched = 0;
  for (let at = start; at < text.length; at = WRITTEN.lastIndex) {
    WRITTEN.lastIndex = at;
    const [, code, itself] = WRITTEN.exec(text) ?? [];
    const character = code === undefined ? itself : String.fromCharCode(Number.parseInt(code, 16));
    // What is left is an escape that broke off.
    if (character === undefined) break;
    if (character.toLowerCase() !== form[matched]) return 0;
    matched += 1;
  }
  return matched;
}

/** A secret as it is, URL-encoded, and in both kinds of base64 without their padding. */
export const encodedForms = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  Buffer.from(secret).toString('base64').replaceAll('=', ''),
  Buffer.from(secret).toString('base64url'),
];

/** A pattern for one character in all the ways that JSON can write it. */
function anyEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) =>
    character.charCodeAt(i).toString(16).padStart(4, '0'),
  );
  const itself = units.map((unit) => `\\u${unit}`).join('');
  const escaped = units.map((unit) => `\\\\u${unit}`).join('');
  return `(?:\\\\?${itself}|${escaped})`;
}

/** A connection URL, or a message with one in it, as it may be shown: without user and password. */
export function withoutUserinfo(url: string): string {
  return url.replace(/\/\/\S*@/g, '//').replace(/(^|\s)[^\s:/]*:\S*@/g, '$1');
}
