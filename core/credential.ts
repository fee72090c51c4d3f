// What a destination's credential must be, for a worker that sends it and for a doctor that only looks: its value, and
// how a file holds it.
import { MIN_SECRET_LENGTH } from './redact.ts';

/** RFC 9110 §5.5, in ASCII; single spaces inside, none at the ends: they would not reach the API as they are. */
const HEADER_VALUE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/** @returns what is wrong with the value, to be put behind its name and never holding it; undefined when it can be sent */
export function credentialFault(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (!HEADER_VALUE.test(value)) return "cannot be a header's value";
  if (value.length < MIN_SECRET_LENGTH) return `must have at least ${MIN_SECRET_LENGTH} characters`;
  return undefined;
}

/** Without its last line break, which editors put there. */
export const secretOfFile = (text: string): string => text.replace(/\r?\n$/, '');
