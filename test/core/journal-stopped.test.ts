// Postponements have a bound of one life of a key; that a worker was stopped is none of those.
import { expect, test } from 'vitest';
import { type Attempt, emptyJournal, record } from '../../core/journal.ts';

const NOW = 1_800_000_000_000;
const entry = (at: number, code: string, outcome: Attempt['outcome'] = 'not-sent'): Attempt => ({
  attempt: 1,
  at,
  durationMs: 0,
  outcome,
  evidence: 'nothing',
  disposition: 'postpone',
  code,
});

test('the bound of postponements does not count from when a worker was stopped', () => {
  const stopped = record(emptyJournal(), entry(NOW, 'WAYBILL_SHUTDOWN', 'no-answer'));
  expect(stopped).toMatchObject({ postponed: 1 });
  expect(stopped).not.toHaveProperty('postponedSince');
  const held = record(stopped, entry(NOW + 1000, 'EMFILE'));
  expect(held).toMatchObject({ postponed: 2, postponedSince: NOW + 1000 });
  expect(record(held, entry(NOW + 2000, 'UND_ERR_CLOSED'))).toMatchObject({ postponedSince: NOW + 1000 });
});

test('what an API calls its code is no word of a stopped worker', () =>
  expect(record(emptyJournal(), entry(NOW, 'WAYBILL_SHUTDOWN', 'response'))).toMatchObject({ postponedSince: NOW }));
