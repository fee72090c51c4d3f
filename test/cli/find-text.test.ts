import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { describeFound } from '../../cli/find-text.ts';
import type { Attempt, Journal } from '../../core/journal.ts';
import type { Found } from '../../queue/find.ts';
import { ESCAPE, hostileLetter } from './hostile-letter.ts';

const attempt = (more: Partial<Attempt>): Attempt => ({
  attempt: 1,
  at: 1,
  durationMs: 1,
  outcome: 'response',
  evidence: 'doubt',
  disposition: 'retry',
  ...more,
});

const found = (journal: Partial<Journal>, more: Partial<Found> = {}): Found => ({
  destination: 'sms',
  jobId: 'w1',
  state: 'postponed',
  verdict: 'not-applied',
  enqueuedAt: 1,
  journal: { generation: 0, attempts: [], postponed: 0, lost: 0, ...journal },
  requestIds: [],
  lineage: [],
  ...more,
});

test('no text of a write, its journal or its letter reaches the terminal as more than text', () => {
  // What a program that writes to Redis past Waybill could have put there: types promise nothing of it.
  const anything = ESCAPE as never;
  const entry = attempt({
    status: anything,
    code: ESCAPE,
    requestId: ESCAPE,
    disposition: anything,
    because: ESCAPE,
    wait: { delayMs: 1, baseMs: anything, jitterMs: anything },
  });
  const journal = { attempts: [entry, { ...entry, wait: undefined as never }], postponed: 1, lastPostponed: entry };
  const text = describeFound(
    found(journal, {
      destination: ESCAPE,
      jobId: ESCAPE,
      idempotencyKey: ESCAPE,
      method: ESCAPE,
      path: ESCAPE,
      verdict: anything,
      requestIds: [ESCAPE],
      letter: hostileLetter(found({}).journal),
      origin: ESCAPE,
      replacedBy: { idempotencyKey: ESCAPE, jobId: ESCAPE },
      lineage: [hostileLetter(found({}).journal)],
    }),
    new PassThrough(),
  );
  expect(text).toContain('[31m');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(text.split('\n').filter((line) => line.startsWith('[31m'))).toEqual([]);
});

test('a postponement is told with how long its wait was and why', () => {
  const wait = { delayMs: 2000, baseMs: 1000, jitterMs: 5, retryAfterMs: 2000 };
  const lastPostponed = attempt({ disposition: 'postpone', status: 409, code: 'IN_PROGRESS', wait });
  expect(describeFound(found({ postponed: 3, lastPostponed }), new PassThrough())).toMatch(
    /^postponed +3 time\(s\), spending no attempt, last \S+: 409 IN_PROGRESS, again in 2 s = Retry-After; base 1000 \+ jitter 5 was shorter$/m,
  );
});

test('a time that is none is told as such', () => {
  expect(describeFound(found({}, { enqueuedAt: NaN }), new PassThrough())).toMatch(/^enqueued +\(no time\)$/m);
});
