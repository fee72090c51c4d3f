// One dead letter as a row of a table. Every text of a letter may be the API's: none of it reaches a terminal unchecked.
import { printable } from '../core/envelope.ts';
import { letterCode } from '../queue/letter-filter.ts';
import { isoTime } from './reading.ts';
import type { Letter } from './letter-selection.ts';

const MAX_CELL = 60;

export const cell = (text: string | undefined): string => printable(text ?? '-', MAX_CELL) || '-';

export const LETTER_HEADER = [
  'id',
  'died',
  'destination',
  'reason',
  'status',
  'code',
  'verdict',
  'request_id',
  'write',
];

export function cellsOf(letter: Letter): string[] {
  const { id, deadAt, destination } = letter;
  const known = [cell(id), isoTime(deadAt), cell(destination)];
  if ('unreadable' in letter) return [...known, letter.unreadable];
  const { reason, status, verdict, requestId, write: sent } = letter;
  const sentAs = sent ? `${sent.method} ${sent.path}` : '(no write)';
  return [...known, ...[reason, status?.toString(), letterCode(letter), verdict, requestId, sentAs].map(cell)];
}
