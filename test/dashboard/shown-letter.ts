// A dead letter whose API repeats what it was sent, and the configuration that masks it.
import { type Config, resolveConfig } from '../../core/config.ts';
import { type Attempt, emptyJournal } from '../../core/journal.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';

export const NOW = Date.UTC(2026, 10, 22, 12);
export const CARD = '4111111111111111';
export const SIGNATURE = 'sig-7f3a9c';
const SAID = `card ${CARD} is not a number of ${SIGNATURE}`;

export const config = (redact?: object, unconfigured?: 'show'): Config =>
  resolveConfig({
    destinations: redact && {
      sms: {
        baseUrl: 'https://api.example/base',
        auth: { header: 'authorization', env: 'SMS_KEY', prefix: 'Bearer ' },
        redact,
      },
    },
    ...(unconfigured && { dashboard: { unconfigured } }),
  });

export const MASKED = config({ body: ['/card/number'], headers: ['X-Signature'] });

const attempt: Attempt = {
  attempt: 1,
  at: NOW - 1000,
  durationMs: 12,
  outcome: 'response',
  evidence: 'not-applied',
  disposition: 'dead',
  status: 422,
  code: 'VALIDATION_ERROR',
  requestId: 'req-1',
  envelope: { code: 'VALIDATION_ERROR', message: SAID, details: `{"field":"card.number","value":${CARD}}` },
  body: `{"message":"${SAID}","given":{"number":"\\u0034111111111111111"}}`,
  wait: { delayMs: 4610, baseMs: 4000, jitterMs: 610, retryAfterMs: 3000 },
};

export const letter = (more: Partial<FiledLetter> = {}): FiledLetter => ({
  id: 'w1.g0',
  destination: 'sms',
  jobId: 'w1',
  deadAt: NOW - 900,
  enqueuedAt: NOW - 5000,
  reason: 'rejected',
  because: 'HTTP 422 is not retried',
  verdict: 'not-applied',
  status: 422,
  ...(attempt.envelope && { envelope: attempt.envelope }),
  requestId: 'req-1',
  lost: 0,
  journal: { ...emptyJournal(), attempts: [attempt] },
  keyFirstSentAt: NOW - 1000,
  keyUsableUntil: NOW + 2000,
  keyExpiresAt: NOW + 3000,
  write: {
    method: 'POST',
    path: '/v1/cards?x=[1]',
    headers: { 'x-signature': SIGNATURE, 'x-trace': 't' },
    body: `{"card":{"number":"${CARD}"},"id":12345678901234567890}`,
    idempotencyKey: 'order-17',
  },
  state: 'open',
  acts: [],
  ...more,
});
