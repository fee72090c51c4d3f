// Keeps credentials out of what is stored, logged or shown, even when an API echoes them back.

/** In the place of what was taken out. */
export const MASK = '[redacted]';
/** Shorter values would blank out half of every answer; the configuration refuses them. */
export const MIN_SECRET_LENGTH = 6;

/**
 * Makes a function that replaces every secret in a text, also where it stands URL-encoded or in base64, and however a
 * JSON writer escaped its characters (PHP writes `\/`, Go and .NET `\u002B`).
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
  return (text) => text.replace(pattern, MASK);
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
