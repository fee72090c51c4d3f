// What a dead letter is stored as tells all that the letter told.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempt, emptyJournal, type Journal, record } from '../../core/journal.ts';
import { deadLetter } from '../../queue/letter.ts';
import { getLetter } from '../../queue/dead-letters.ts';
import { replay } from '../../queue/operate.ts';
import { storedLetter, wholeLetter } from '../../queue/stored-letter.ts';
import { createWorld, planned } from '../support/world.ts';

const POLICY = { keyTtlMs: 86_400_000, timeoutMs: 1000 };

const json = fc.oneof(
  fc.json(),
  fc.constantFrom(
    '{"id":12345678901234567890}',
    '{"__proto__":1,"2":1,"1":2}',
    '[1, 2]',
    '{"a":1,"a":2}',
    'null',
    '""',
  ),
);
const envelope = fc.record(
  { code: fc.string({ minLength: 1 }), message: fc.string({ minLength: 1 }), details: json },
  { requiredKeys: ['code'] },
);
const attempt = fc.record(
  {
    at: fc.nat(),
    durationMs: fc.nat(),
    outcome: fc.constantFrom<Attempt['outcome'][]>('response', 'not-sent', 'no-answer', 'blocked'),
    evidence: fc.constantFrom<Attempt['evidence'][]>('applied', 'not-applied', 'doubt', 'nothing'),
    disposition: fc.constantFrom<Attempt['disposition'][]>('retry', 'postpone', 'dead'),
    status: fc.constantFrom(400, 503),
    code: fc.string(),
    requestId: fc.string({ minLength: 1 }),
    replayed: fc.constant(true),
    envelope,
    body: fc.oneof(fc.string(), json),
    because: fc.constantFrom('a reason', 'HTTP 400 is not retried'),
    lost: fc.nat({ max: 2 }),
    worker: fc.string(),
  },
  { requiredKeys: ['at', 'durationMs', 'outcome', 'evidence', 'disposition'] },
);
/** As most answers are: the body says what the envelope says. */
const usual = fc.tuple(attempt, envelope, json).map(([entry, { code, message }, details]) => {
  const requestId = 'req_1';
  const body = `${JSON.stringify({ code, message, request_id: requestId }).slice(0, -1)},"details":${details}}`;
  return { ...entry, status: 422, code, requestId, envelope: { code, ...(message && { message }), details }, body };
});
const anyLetter = fc
  .record({
    attempts: fc.array(fc.oneof(attempt, usual), { maxLength: 5 }),
    generation: fc.nat({ max: 2 }),
    lost: fc.nat({ max: 1 }),
    doubtBefore: fc.constantFrom<Journal['doubtBefore'][]>(undefined, 'settleable', 'final'),
    body: fc.option(fc.oneof(fc.string(), json), { nil: undefined }),
    method: fc.constantFrom('POST' as const, 'DELETE' as const),
    raw: fc.boolean(),
  })
  .map(({ attempts, generation, lost, doubtBefore, body, method, raw }) => {
    const begun: Journal = { ...emptyJournal(generation), ...(doubtBefore && { doubtBefore }) };
    const journal = attempts.reduce((all, entry, i) => record(all, { ...entry, attempt: i + 1 }), begun);
    const write = { method, path: '/v1/x', idempotencyKey: 'key', ...(body !== undefined && { body }) };
    return deadLetter(
      {
        destination: 'sms',
        jobId: 'w1',
        enqueuedAt: 7,
        reason: 'rejected',
        because: 'HTTP 400 is not retried',
        lost,
        journal,
        ...(raw ? { raw: 'no write' } : { write }),
      },
      POLICY,
      9,
    );
  });

describe('a stored letter', () => {
  test('is read back as it was', () => {
    fc.assert(
      fc.property(anyLetter, (whole) => {
        const { id, destination, jobId, deadAt } = whole;
        const stored = JSON.parse(storedLetter(whole)) as Record<string, unknown>;
        expect(wholeLetter(stored, { id, destination, jobId, deadAt })).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps each request_id where scripts look for it', () => {
    fc.assert(
      fc.property(anyLetter, (whole) => {
        const text = storedLetter(whole);
        for (const { requestId } of whole.journal.attempts) {
          if (requestId !== undefined) expect(text).toContain(`"requestId":${JSON.stringify(requestId)}`);
        }
      }),
    );
  });

  test('of a version that stored all of it is read, and replayed', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('401', 'ok'));
    const { letter } = await world.until(job.data.idempotencyKey, 'dead');
    const { state: _state, acts: _acts, ...whole } = letter!;
    const dead = world.reader.queue(world.name, `${world.name}.dead`);
    await world.reader.client.hset(dead.toKey(whole.id), 'data', JSON.stringify(whole));
    expect(await getLetter(world.reader, world.name, whole.id)).toEqual(letter);
    await replay(world.reader, world.name, whole.id, { by: 'ann', reason: 'a test' });
    await world.until(job.data.idempotencyKey, 'delivered');
  });

  test('says nothing twice', () => {
    const requestId = 'req_0d95ad21';
    const because = 'HTTP 400 is not retried';
    const said = { code: 'VALIDATION_ERROR', message: 'no' };
    const entry = {
      attempt: 1,
      at: 5,
      durationMs: 4,
      outcome: 'response',
      evidence: 'not-applied',
      disposition: 'dead',
      status: 400,
      code: said.code,
      requestId,
      envelope: { ...said, details: '{"field":"f"}' },
      body: JSON.stringify({ ...said, request_id: requestId, details: { field: 'f' } }),
      because,
    } as const;
    const write = { method: 'POST', path: '/v1/x', idempotencyKey: 'key', body: '{"a":1}' } as const;
    const facts = { destination: 'sms', jobId: 'w1', enqueuedAt: 3, reason: 'rejected', because, lost: 0 } as const;
    const whole = deadLetter({ ...facts, journal: record(emptyJournal(), entry), write }, POLICY, 9);
    expect(JSON.parse(storedLetter(whole))).toEqual({
      enqueuedAt: 3,
      reason: 'rejected',
      because,
      keyTtlMs: 86_400_000,
      keyMarginMs: expect.any(Number) as number,
      journal: {
        attempts: [
          {
            at: 5,
            durationMs: 4,
            evidence: 'not-applied',
            status: 400,
            requestId,
            envelope: { ...said, details: { field: 'f' } },
          },
        ],
      },
      write: { path: '/v1/x', idempotencyKey: 'key', body: { a: 1 } },
    });
  });
});
