// JSON whose numbers keep their digits: `{"id":12345678901234567890}` survives a parse and a stringify.

// TC39 "JSON.parse source text access", in V8 since 11.4; not yet in TypeScript's library.
declare global {
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/**
 * Parses JSON text; a number that a double cannot write back as it stood becomes a raw number, which
 * JSON.stringify prints with its own digits.
 * @throws SyntaxError when the text is not JSON
 */
export function parseKeepingDigits(text: string): unknown {
  // The source is given for whatever is no object and no list.
  const reviver = (_key: string, value: unknown, { source }: { source?: string }): unknown =>
    typeof value === 'number' && String(value) !== source ? JSON.rawJSON(source as string) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** True for a plain JSON object: what has named fields; a raw number is none. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}
