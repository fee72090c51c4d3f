// Makes characters that one cannot see, or that reorder what stands beside them, into ones that one can see. Pure.

/** C0 and C1 controls but tab and line feed; zero-width characters; marks that change the direction of a text. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** `a\u202eb` becomes `a⟨202E⟩b`. */
export const visible = (text: string): string =>
  text.replaceAll(HIDDEN, (char) => `⟨${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
