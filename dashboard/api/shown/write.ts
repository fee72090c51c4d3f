// A write as the API shows it, with its masks.
import { printable } from '../../../core/envelope.ts';
import { maskWrite, type Masking } from '../../../core/mask-write.ts';
import { MAX_HEADER_BYTES, MAX_PATH_LENGTH, type Write } from '../../../core/write.ts';
import type { ShownWrite } from '../contract/letters.ts';
import { line, number } from './sure.ts';

export function writeShown(write: Write, masking: Masking): ShownWrite {
  const { headers, body, pointers, names, hidden } = maskWrite(write, masking);
  return {
    method: line('method', write.method, 20).method ?? '?',
    path: line('path', write.path, MAX_PATH_LENGTH).path ?? '?',
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [asText(name), asText(value)])),
    ...(body !== undefined && { body }),
    maskedBody: pointers,
    maskedHeaders: names.map(asText),
    ...(hidden !== undefined && { hidden }),
    idempotencyKey: line('key', write.idempotencyKey, 255).key ?? '?',
    ...number('expiresAt', write.expiresAt),
    ...number('maxAttempts', write.maxAttempts),
  };
}

/** As it is where a header may be so; of anything else no character is obeyed. */
const asText = (text: string): string => (/^[\t\x20-\x7e]*$/.test(text) ? text : printable(text, MAX_HEADER_BYTES));
