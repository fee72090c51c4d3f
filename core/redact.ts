// Keeps credentials out of what is stored, logged or shown, even when an API echoes them back.

/** In the place of what was taken out. */
export const MASK = '[redacted]';
/** Shorter values would blank out half of every answer; the configuration refuses them. */
export const MIN_SECRET_LENGTH = 6;

/**
 * Makes a function that replaces every secret in a text, also where it stands URL-encoded or in base64, and however
 * somebody escaped its characters: as JSON does it (PHP writes `\/`, Go and .NET `\u002B`), JSON within JSON, URLs (Python
 * leaves a `/` as it is) and HTML. An answer may break off in the middle of one:
 * its beginning at the end of a text, or before the mark of a cap, is replaced too. The case of letters is free, since
 * that of hex digits is. No pattern is made of secrets: it would be slow to make, may be too large for the engine, and
 * the error that says so holds it.
 * @param secrets header values and passwords of any length; those shorter than MIN_SECRET_LENGTH are ignored
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const sought = secrets.filter(({ length }) => length >= MIN_SECRET_LENGTH).flatMap(encodedForms);
  if (sought.length === 0) return (text) => text;
  const forms = Array.from(new Set(sought), formOf);
  const byFirst = Map.groupBy(forms, ({ units }) => capital(units.charCodeAt(0)));
  const byPair = Map.groupBy(forms, ({ units }) => pairAt(units, 0));
  const beginsOne = Array.from({ length: ASCII }, (_, unit) => mayEscape(unit) || byFirst.has(capital(unit)));

  const formsAt = (text: string, at: number): Form[] => {
    const unit = text.charCodeAt(at);
    if (unit < ASCII && !beginsOne[unit]) return NONE;
    if (!mayEscape(unit) && !mayEscape(text.charCodeAt(at + 1))) return byPair.get(pairAt(text, at)) ?? NONE;
    return meaningsAt(text, at).flatMap((meaning) => byFirst.get(capital(meaning.unit)) ?? NONE);
  };

  /** Where what begins at `at` ends, by the form that reaches furthest and is not among those that were met. */
  const endAt = (text: string, at: number, met: Set<Form>): number => {
    let furthest = NOWHERE;
    for (const form of formsAt(text, at)) {
      const end = met.has(form) ? NOWHERE : endOf(form, text, at);
      if (end !== NOWHERE) met.add(form);
      furthest = Math.max(furthest, end);
    }
    return furthest;
  };

  return (text) => {
    const met = new Set<Form>();
    let clean = '';
    let from = 0;
    for (let start = 0; start + MIN_SECRET_LENGTH <= text.length; start += 1) {
      let end = endAt(text, start, met);
      if (end === NOWHERE) continue;
      // Another one may begin within it and end behind it; the same one again would take ages where it repeats itself.
      for (let at = start + 1; at < end && end < text.length; at += 1) end = Math.max(end, endAt(text, at, met));
      met.clear();
      clean += text.slice(from, start) + MASK;
      from = end;
      start = end - 1;
    }
    return from === 0 ? text : clean + text.slice(from);
  };
}

const NOWHERE = -1;
const NONE: Form[] = [];
const ASCII = 0x80;
const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const ELLIPSIS = 0x2026;
/** Of so many meanings none is looked for: what follows is taken out. */
const MOST_MEANINGS = 8;
/** Known to everybody, and often the last word of a message or a code; the shorter ones are no beginning in any case. */
const SCHEME = /^(?:Bearer|Digest|Api-?Key|Negotiate)(?: |%20)/i;

interface Form {
  units: string;
  /** So many units are a beginning: fewer give nothing away. */
  least: number;
}

function formOf(units: string): Form {
  const scheme = SCHEME.exec(units)?.[0] ?? '';
  return { units, least: Math.max(MIN_SECRET_LENGTH, scheme.length + 1) };
}

/** @returns where a form ends that begins at `start`, or the text breaks off within it; NOWHERE for anything else */
function endOf({ units, least }: Form, text: string, start: number): number {
  let brokenAt = NOWHERE;
  // Several behind a backslash: what it is may show only later.
  let places = [start];
  for (let matched = 0; matched < units.length; matched += 1) {
    const [at = 0] = places;
    const expected = units.charCodeAt(matched);
    const found = text.charCodeAt(at);
    if (places.length === 1 && !mayEscape(found) && found !== ELLIPSIS && isSame(found, expected)) {
      places[0] = at + 1;
      continue;
    }
    if (matched >= least) brokenAt = Math.max(brokenAt, ...places.map((place) => breakAt(text, place)));
    places = [...new Set(places.flatMap((place) => behind(expected, text, place)))];
    if (places.length === 0) return brokenAt;
    if (places.length > MOST_MEANINGS) return text.length;
  }
  return Math.max(brokenAt, ...places);
}

/** Perhaps in the middle of an escape. */
const BREAK = /(?:\\{1,16}(?:u[0-9a-f]{0,3})?|%[0-9a-f]?|&#?\w{0,6})?(?=…|\\u2026|$)/iy;

function breakAt(text: string, at: number): number {
  BREAK.lastIndex = at;
  return BREAK.test(text) ? BREAK.lastIndex : NOWHERE;
}

/** Where a text goes on behind a unit that stands there in any of these ways. */
const behind = (expected: number, text: string, at: number): number[] =>
  meaningsAt(text, at).flatMap(({ unit, next }) => (isSame(unit, expected) ? [next] : []));

const mayEscape = (unit: number): boolean => unit === BACKSLASH || unit === PERCENT || unit === AMPERSAND;

/** JSON within JSON has backslashes before its backslashes: 15 at the fourth level. */
const ESCAPE = new RegExp(
  [
    String.raw`\\{1,16}(?:u([0-9a-f]{4})|([bfnrt]))`,
    '((?:%[0-7][0-9a-f])|%[c-e][0-9a-f](?:%[89ab][0-9a-f]){1,2})',
    '&(?:#(\\d{1,5})|#x([0-9a-f]{1,4})|(amp|lt|gt|quot|apos));',
  ].join('|'),
);
const ESCAPE_HERE = new RegExp(ESCAPE, 'iy');
const ESCAPES = new RegExp(ESCAPE, 'gi');
const BACKSLASHES = /\\{2,16}/y;
const NAMED = new Map(
  Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }),
);

/** What an escape stands for, by the groups of its pattern. */
function unescaped([, json, letter, bytes, decimal, hex, name]: readonly (string | undefined)[]): string {
  const hexadecimal = json ?? hex;
  if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16));
  if (bytes !== undefined) return Buffer.from(bytes.replaceAll('%', ''), 'hex').toString();
  if (decimal !== undefined) return String.fromCharCode(Number(decimal));
  return NAMED.get((letter ?? name ?? '').toLowerCase()) ?? '';
}

/** A text with every escape resolved, and without the backslashes that are left. */
export const withoutEscapes = (text: string): string =>
  text.replace(ESCAPES, (...groups: (string | undefined)[]) => unescaped(groups)).replaceAll('\\', '');

/** What a text may say at a place, and where it goes on behind that. */
function meaningsAt(text: string, at: number): { unit: number; next: number }[] {
  if (at >= text.length) return [];
  const unit = text.charCodeAt(at);
  const meanings = [{ unit, next: at + 1 }];
  if (!mayEscape(unit)) return meanings;
  if (unit === BACKSLASH && at + 1 < text.length) {
    meanings.push({ unit: text.charCodeAt(at + 1), next: at + 2 });
    BACKSLASHES.lastIndex = at;
    if (BACKSLASHES.test(text)) {
      const end = BACKSLASHES.lastIndex;
      meanings.push({ unit, next: end });
      if (end < text.length) meanings.push({ unit: text.charCodeAt(end), next: end + 1 });
    }
  }
  ESCAPE_HERE.lastIndex = at;
  const escape = ESCAPE_HERE.exec(text);
  if (escape) meanings.push({ unit: unescaped(escape).charCodeAt(0), next: ESCAPE_HERE.lastIndex });
  return meanings;
}

const pairAt = (text: string, at: number): number =>
  capital(text.charCodeAt(at)) * 0x1_00_00 + capital(text.charCodeAt(at + 1));

const isSame = (a: number, b: number): boolean => a === b || capital(a) === capital(b);

/** Of one unit, which stays one. */
function capital(unit: number): number {
  if (unit < ASCII) return unit >= 0x61 && unit <= 0x7a ? unit - 0x20 : unit;
  const capitals = String.fromCharCode(unit).toUpperCase();
  return capitals.length === 1 ? capitals.charCodeAt(0) : unit;
}

/** A secret as it is, URL-encoded, and in both kinds of base64 without their padding. */
export const encodedForms = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  Buffer.from(secret).toString('base64').replaceAll('=', ''),
  Buffer.from(secret).toString('base64url'),
];

/** A connection URL, or a message with one in it, as it may be shown: without user and password. */
export function withoutUserinfo(url: string): string {
  return url.replace(/\/\/\S*@/g, '//').replace(/(^|\s)[^\s:/]*:\S*@/g, '$1');
}
