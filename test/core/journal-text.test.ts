// What an attempt was answered, in the words that people read.
import { expect, test } from 'vitest';
import { answerOf } from '../../core/journal-text.ts';

test.each<[string, Parameters<typeof answerOf>[0]]>([
  ['503 SERVICE_UNAVAILABLE', { outcome: 'response', status: 503, code: 'SERVICE_UNAVAILABLE' }],
  ['200', { outcome: 'response', status: 200 }],
  ['200', { outcome: 'response', status: 200, replayed: false }],
  ['422 INVALID (the stored answer)', { outcome: 'response', status: 422, code: 'INVALID', replayed: true }],
  ['no answer (ECONNRESET)', { outcome: 'no-answer', code: 'ECONNRESET' }],
  ['nothing was sent (ECONNREFUSED)', { outcome: 'not-sent', code: 'ECONNREFUSED' }],
  ['refused by us (ERR_INVALID_CHAR)', { outcome: 'blocked', code: 'ERR_INVALID_CHAR' }],
  ['refused by us (before sending)', { outcome: 'blocked' }],
])('an attempt reads %j', (words, attempt) => expect(answerOf(attempt)).toBe(words));

test('no character of an answer is obeyed by a terminal, and a long code is cut', () => {
  expect(answerOf({ outcome: 'response', status: 400, code: '\u001b[31mRED\n' })).toBe('400 [31mRED');
  expect(answerOf({ outcome: 'no-answer', code: 'X'.repeat(500) })).toBe(`no answer (${'X'.repeat(127)}…)`);
});
