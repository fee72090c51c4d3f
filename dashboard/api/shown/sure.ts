// What stands in Redis may be anybody's, and an answer of the API must be what its contract says: values of another kind
// are left out, or told as the least that is known.
import { printable } from '../../../core/envelope.ts';

/** `{ name: value }` where the value is a number, else nothing to spread. */
export function number<N extends string>(name: N, value: unknown): { [K in N]?: number } {
  return (typeof value === 'number' && Number.isFinite(value) ? { [name]: value } : {}) as { [K in N]?: number };
}

/** `{ name: value }` of one line of printable text, where the value is a text that is not empty. */
export function line<N extends string>(
  name: N,
  value: unknown,
  maxLength: number,
  clean: (text: string) => string = (text) => text,
): { [K in N]?: string } {
  if (typeof value !== 'string') return {};
  const text = printable(clean(value), maxLength);
  return (text === '' ? {} : { [name]: text }) as { [K in N]?: string };
}

/** `{ name: value }` where the value is one of those that are allowed. */
export function choice<N extends string, T extends string>(
  name: N,
  value: unknown,
  allowed: readonly T[],
): { [K in N]?: T } {
  return (allowed.includes(value as T) ? { [name]: value } : {}) as { [K in N]?: T };
}

export const oneOf = <T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T =>
  allowed.includes(value as T) ? (value as T) : otherwise;

export const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** The same JSON without characters that a terminal obeys or that turn text around: they can stand in strings alone. */
export const plainJson = (json: string): string =>
  json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => String.raw`\u` + character.charCodeAt(i).toString(16).padStart(4, '0'),
    ).join(''),
  );

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));
