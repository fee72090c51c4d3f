// Keeps credentials out of what is stored, logged or shown, even when an API echoes them back.

const MASK = '[redacted]';
/** Shorter values would blank out half of every answer; the configuration refuses them. */
export const MIN_SECRET_LENGTH = 6;

/**
 * Makes a function that replaces every secret in a text, also where it stands URL-encoded, in base64 or inside JSON.
 * @param secrets header values and passwords; empty ones are ignored
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_LENGTH) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
    forms.add(Buffer.from(secret).toString('base64url'));
  }
  // Longest first, so that a form which contains another is replaced whole.
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((clean, form) => (clean.includes(form) ? clean.replaceAll(form, MASK) : clean), text);
}

/** A connection URL as it may be shown: without user and password. */
export function withoutUserinfo(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, '//');
}
