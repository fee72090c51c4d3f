import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEAD_REASONS, decide, type Disposition, type Policy } from '../../core/decide.ts';
import { emptyJournal, type Attempt, type Journal } from '../../core/journal.ts';
import type { Outcome } from '../../core/outcome.ts';

const POLICY: Policy = {
  maxAttempts: 5,
  baseMs: 1000,
  capMs: 30_000,
  jitter: 0.2,
  retryAfterCapMs: 3_600_000,
  timeoutMs: 15_000,
  keyTtlMs: 86_400_000,
  inProgressCodes: ['IDEMPOTENCY_IN_PROGRESS'],
  unappliedStatuses: [503],
  maxCrashes: 5,
};
const NOW = 1_800_000_000_000;

const answer = (status: number, more: Partial<Outcome & { kind: 'response' }> = {}): Outcome => ({
  kind: 'response',
  status,
  durationMs: 5,
  replayed: false,
  ...more,
});
const after = (attempts: number): Journal => ({
  ...emptyJournal(),
  attempts: Array.from({ length: attempts }, (_, i) => ({ attempt: i + 1 }) as Attempt),
});
const judge = (outcome: Outcome, journal = emptyJournal(), random = 0.5): Disposition =>
  decide(outcome, journal, 5, POLICY, NOW, random);

describe('the status table of the contract', () => {
  test.each([200, 201, 202, 204, 299])('%i is delivered', (status) =>
    expect(judge(answer(status))).toEqual({ kind: 'delivered' }),
  );

  test.each([400, 401, 403, 404, 409, 422, 402, 405, 410, 413, 418, 451, 300, 301, 302, 307, 308])(
    '%i is dead at once as rejected',
    (status) => expect(judge(answer(status))).toMatchObject({ kind: 'dead', reason: 'rejected' }),
  );

  test.each([429, 500, 502, 503, 504, 501, 520, 599])('%i is retried', (status) =>
    expect(judge(answer(status))).toMatchObject({
      kind: 'retry',
      wait: { baseMs: 1000, jitterMs: 100, delayMs: 1100 },
    }),
  );

  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'ECONNRESET',
    'ETIMEDOUT',
    'UND_ERR_SOCKET',
    'CERT_HAS_EXPIRED',
    'SOMETHING_NEW',
  ])('no response (%s) is retried', (code) => {
    expect(judge({ kind: 'no-answer', code, durationMs: 1 })).toMatchObject({ kind: 'retry' });
    expect(judge({ kind: 'not-sent', code, durationMs: 1 })).toMatchObject({ kind: 'retry' });
  });

  test('every final status but 2xx, 429, 5xx is dead; those are delivered or retried', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        const { kind } = judge(answer(status));
        return kind === (status < 300 ? 'delivered' : status === 429 || status >= 500 ? 'retry' : 'dead');
      }),
    );
  });
});

describe('attempts', () => {
  test('the fifth failed attempt is the last, and the write is exhausted', () => {
    expect(judge(answer(503), after(3))).toMatchObject({ kind: 'retry', wait: { baseMs: 8000 } });
    expect(judge(answer(503), after(4))).toMatchObject({ kind: 'dead', reason: 'exhausted' });
  });

  test('a write may override how many attempts it has', () => {
    expect(decide(answer(503), after(0), 1, POLICY, NOW, 0)).toMatchObject({
      kind: 'dead',
      reason: 'exhausted',
    });
    expect(decide(answer(503), after(6), 8, POLICY, NOW, 0)).toMatchObject({
      kind: 'retry',
      wait: { baseMs: 30_000 },
    });
  });

  test('Retry-After of a 429 lengthens the wait for the write itself', () =>
    expect(judge(answer(429, { retryAfterMs: 7000 }))).toMatchObject({ wait: { delayMs: 7000, retryAfterMs: 7000 } }));
});

describe('what spends no attempt', () => {
  const inProgress = answer(409, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' } });

  test('a 409 whose code says that the key is in progress is asked again later', () =>
    expect(judge(inProgress, after(4))).toMatchObject({ kind: 'postpone', wait: { baseMs: 1000 } }));

  test('every other 409 is dead', () =>
    expect(judge(answer(409, { envelope: { code: 'IDEMPOTENCY_CONFLICT' } }))).toMatchObject({
      kind: 'dead',
      reason: 'rejected',
    }));

  test('a 409 whose answer broke off may have said that, and is tried again: it spends an attempt', () => {
    const cut = answer(409, { cut: true, envelope: { code: 'HTTP_409' } });
    expect(judge(cut)).toMatchObject({ kind: 'retry', because: 'HTTP 409, whose answer broke off' });
    expect(judge(cut, after(4))).toMatchObject({ kind: 'dead', reason: 'exhausted' });
    expect(judge(answer(422, { cut: true }))).toMatchObject({ kind: 'dead', reason: 'rejected' });
  });

  test('a 409 in progress backs off, and ends once it was postponed for the life of a key', () => {
    const since = (postponedSince: number): Journal => ({ ...emptyJournal(), postponed: 9, postponedSince });
    expect(judge(inProgress, since(NOW - 1000))).toMatchObject({ kind: 'postpone', wait: { baseMs: 30_000 } });
    expect(judge(inProgress, since(NOW - POLICY.keyTtlMs))).toMatchObject({ kind: 'dead', reason: 'exhausted' });
  });

  test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])('%s, our own trouble, postpones by a second', (code) =>
    expect(judge({ kind: 'not-sent', code, durationMs: 1 })).toMatchObject({
      kind: 'postpone',
      wait: { delayMs: 1000 },
    }),
  );

  test.each(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', 'WAYBILL_SHUTDOWN'])(
    '%s, our own shutdown, postpones by nothing',
    (code) =>
      expect(judge({ kind: 'no-answer', code, durationMs: 1 })).toMatchObject({
        kind: 'postpone',
        wait: { delayMs: 0 },
      }),
  );
});

test('a 5xx that is the stored answer of the key will not change: dead at once', () =>
  expect(judge(answer(500, { replayed: true }))).toMatchObject({ kind: 'dead', reason: 'rejected' }));

test.each(['UND_ERR_INVALID_ARG', 'ERR_INVALID_CHAR', 'ERR_INVALID_URL'])('%s cannot be sent, ever: invalid', (code) =>
  expect(judge({ kind: 'not-sent', code, durationMs: 1 })).toMatchObject({ kind: 'dead', reason: 'invalid' }),
);

test('what our own policy refuses is invalid', () =>
  expect(judge({ kind: 'blocked', code: 'INVALID_WRITE', message: 'path: no' })).toEqual({
    kind: 'dead',
    reason: 'invalid',
    because: 'path: no',
  }));

describe('every disposition says why', () => {
  const told = (outcome: Outcome, journal?: Journal): string | undefined => {
    const disposition = judge(outcome, journal);
    return disposition.kind === 'delivered' ? undefined : disposition.because;
  };
  const notSent = (code: string): Outcome => ({ kind: 'not-sent', code, durationMs: 1 });
  const noAnswer = (code: string): Outcome => ({ kind: 'no-answer', code, durationMs: 1 });

  test.each<[Outcome, string]>([
    [notSent('ECONNREFUSED'), 'nothing was sent (ECONNREFUSED)'],
    [notSent('ECONNRESET'), 'nothing was sent (ECONNRESET)'],
    [notSent('CERT_HAS_EXPIRED'), 'TLS failed (CERT_HAS_EXPIRED)'],
    [notSent('EMFILE'), 'EMFILE on our machine'],
    [notSent('UND_ERR_CLOSED'), 'the worker was stopped'],
    [notSent('ERR_INVALID_URL'), 'the request cannot be sent (ERR_INVALID_URL)'],
    [noAnswer('ECONNRESET'), 'no answer (ECONNRESET)'],
    [noAnswer('EMFILE'), 'no answer (EMFILE)'],
    [noAnswer('UND_ERR_CLOSED'), 'the worker was stopped'],
    [answer(429), 'HTTP 429'],
    [answer(503), 'HTTP 503'],
    [answer(404), 'HTTP 404 is not retried'],
    [
      answer(422, { replayed: true }),
      'HTTP 422 is the stored answer of this key and will not change; a new key is needed',
    ],
    [
      answer(500, { replayed: true }),
      'HTTP 500 is the stored answer of this key and will not change; a new key is needed',
    ],
    [answer(409, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' } }), 'the API is still processing this key'],
  ])('%j: %s', (outcome, because) => expect(told(outcome)).toBe(because));

  test('the last attempt is counted out', () =>
    expect(told(answer(503), after(4))).toBe('HTTP 503; attempt 5 of 5 was the last'));

  test('a probe has one attempt', () =>
    expect(judge(answer(503), { ...emptyJournal(), probe: true })).toEqual({
      kind: 'dead',
      reason: 'exhausted',
      because: 'HTTP 503; a probe has one attempt',
    }));

  test('a postponement that may take the whole life of a key is the last', () =>
    expect(told(notSent('EMFILE'), { ...emptyJournal(), postponedSince: NOW - POLICY.keyTtlMs })).toBe(
      'EMFILE on our machine; postponed for the whole life of a key',
    ));
});

describe('the wait of what spends no attempt', () => {
  const trouble: Outcome = { kind: 'not-sent', code: 'EMFILE', durationMs: 1 };

  test('is given whole: no chance is in it', () => {
    expect(judge(trouble)).toMatchObject({ wait: { delayMs: 1000, baseMs: 1000, jitterMs: 0 } });
    expect(judge({ kind: 'not-sent', code: 'UND_ERR_CLOSED', durationMs: 1 })).toMatchObject({
      kind: 'postpone',
      wait: { delayMs: 0, baseMs: 0, jitterMs: 0 },
    });
  });

  test('may end when the life of a key does, counted from the first postponement, and not later', () => {
    const since = (ms: number): Journal => ({ ...emptyJournal(), postponedSince: NOW - POLICY.keyTtlMs + ms });
    expect(judge(trouble, since(1000))).toMatchObject({ kind: 'postpone' });
    expect(judge(trouble, since(999))).toMatchObject({ kind: 'dead', reason: 'exhausted' });
  });

  test('of a key in progress follows its Retry-After', () =>
    expect(judge(answer(409, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' }, retryAfterMs: 5000 }))).toMatchObject({
      kind: 'postpone',
      wait: { delayMs: 5000 },
    }));

  test.each([
    [0, 1000],
    [1, 2000],
    [4, 16_000],
    [5000, 30_000],
  ])('of a key in progress, after %i postponements, is %i ms and chance', (postponed, baseMs) =>
    expect(
      judge(answer(409, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' } }), { ...emptyJournal(), postponed }),
    ).toMatchObject({
      wait: { baseMs },
    }),
  );
});

test('only a 409 can be in progress, and only one whose code says so', () => {
  expect(judge(answer(422, { envelope: { code: 'IDEMPOTENCY_IN_PROGRESS' } }))).toMatchObject({ kind: 'dead' });
  expect(judge(answer(409))).toMatchObject({ kind: 'dead', reason: 'rejected' });
});

test.each([199, 600])('a status outside of the classes (%i) is dead as rejected', (status) =>
  expect(judge(answer(status))).toMatchObject({ kind: 'dead', reason: 'rejected' }),
);

test('Retry-After of a 5xx lengthens the wait too', () =>
  expect(judge(answer(503, { retryAfterMs: 7000 }))).toMatchObject({ wait: { delayMs: 7000, retryAfterMs: 7000 } }));

test('the reasons of a death are these six', () =>
  expect(DEAD_REASONS).toEqual(['rejected', 'exhausted', 'crashed', 'too-late', 'key-expired', 'invalid']));
