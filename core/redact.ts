// Keeps credentials out of what is stored, logged or shown, even when an API echoes them back.

/** In the place of what was taken out. */
export const MASK = '[redacted]';
/** Shorter values would blank out half of every answer; the configuration refuses them. */
export const MIN_SECRET_LENGTH = 6;

/**
 * Makes a function that replaces every secret in a text, also where it stands URL-encoded or in base64, and however a
 * JSON writer escaped its characters (PHP writes `\/`, Go and .NET `\u002B`). An answer may break off in the middle of one:
 * its beginning at the end of a text is replaced too. The case of letters is free, since that of hex digits is.
 * @param secrets header values and passwords of any length; those shorter than MIN_SECRET_LENGTH are ignored
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.filter(({ length }) => length >= MIN_SECRET_LENGTH).flatMap(encodedForms))];
  if (forms.length === 0) return (text) => text;
  // A pattern of the beginnings alone: one of whole secrets may be too long to be compiled.
  const heads = new Set(forms.map((form) => form.slice(0, MIN_SECRET_LENGTH).split('').map(anyEscape).join('')));
  const head = new RegExp([...heads].join('|'), 'gi');
  return (text) => {
    let clean = '';
    let from = 0;
    head.lastIndex = 0;
    for (let found = head.exec(text); found; found = head.exec(text)) {
      const { index } = found;
      const end = Math.max(...forms.map((form) => endOf(form, text, index)));
      head.lastIndex = index + 1;
      if (end < 0) continue;
      clean += text.slice(from, index) + MASK;
      head.lastIndex = from = end;
    }
    return from === 0 ? text : clean + text.slice(from);
  };
}

const NOWHERE = -1;
/** Of so many meanings none is looked for: what follows is taken out. */
const MOST_MEANINGS = 8;

/** @returns where a form ends that begins at `start`, or the text where that breaks off within it; NOWHERE for anything else */
function endOf(form: string, text: string, start: number): number {
  // Several behind a backslash: what it is may show only later.
  let places = [start];
  for (let matched = 0; matched < form.length; matched += 1) {
    const [at = 0] = places;
    const expected = form[matched] ?? '';
    if (places.length === 1 && at < text.length && text[at] !== '\\') {
      if (!isSame(text[at] ?? '', expected)) return NOWHERE;
      places[0] = at + 1;
      continue;
    }
    // A shorter beginning gives nothing away.
    if (matched >= MIN_SECRET_LENGTH && places.some((place) => breaksOff(text, place))) return text.length;
    places = [...new Set(places.flatMap((place) => behind(expected, text, place)))];
    if (places.length === 0) return NOWHERE;
    if (places.length > MOST_MEANINGS) return text.length;
  }
  return Math.max(...places);
}

const BROKEN_ESCAPE = /(?:\\(?:u[0-9a-f]{0,3})?)?$/iy;

function breaksOff(text: string, at: number): boolean {
  BROKEN_ESCAPE.lastIndex = at;
  return BROKEN_ESCAPE.test(text);
}

const ESCAPE = /\\u([0-9a-f]{4})/iy;

/** Where a text goes on behind a unit that stands there in any of the ways of JSON. */
function behind(unit: string, text: string, at: number): number[] {
  const ends = isSame(text[at] ?? '', unit) ? [at + 1] : [];
  if (text[at] !== '\\') return ends;
  if (isSame(text[at + 1] ?? '', unit)) ends.push(at + 2);
  ESCAPE.lastIndex = at;
  const code = ESCAPE.exec(text)?.[1];
  if (code !== undefined && isSame(String.fromCharCode(Number.parseInt(code, 16)), unit)) ends.push(at + 6);
  return ends;
}

const isSame = (a: string, b: string): boolean => a === b || capital(a) === capital(b);

/** As a pattern without regard to case has it: one unit stays one. */
function capital(unit: string): string {
  const capitals = unit.toUpperCase();
  return capitals.length === unit.length ? capitals : unit;
}

/** A secret as it is, URL-encoded, and in both kinds of base64 without their padding. */
export const encodedForms = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  Buffer.from(secret).toString('base64').replaceAll('=', ''),
  Buffer.from(secret).toString('base64url'),
];

/** A pattern for one unit in all the ways that JSON can write it. */
function anyEscape(unit: string): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  return `(?:\\\\?\\u${hex}|\\\\u${hex})`;
}

/** A connection URL, or a message with one in it, as it may be shown: without user and password. */
export function withoutUserinfo(url: string): string {
  return url.replace(/\/\/\S*@/g, '//').replace(/(^|\s)[^\s:/]*:\S*@/g, '$1');
}
