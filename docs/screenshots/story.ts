// What the pictures show: an evening of three destinations, made up and always the same but for the clock. Each group of
// dead letters has one story; the rules of core/ make journals, waits and verdicts of it, as a worker would.
import { createHash } from 'node:crypto';
import { evidenceOf } from '../../core/verdict.ts';
import type { ConfigInput } from '../../core/config.ts';
import { decide, type Policy } from '../../core/decide.ts';
import { type Attempt, emptyJournal, type Journal, record } from '../../core/journal.ts';
import type { Outcome } from '../../core/outcome.ts';
import { jobIdOf, type Write } from '../../core/write.ts';
import { type DeadLetter, deadLetter } from '../../queue/letter.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the API says to an attempt; `silence` is none within the time limit. */
type Said =
  | { status: number; code: string; message: string; field?: string; retryAfterS?: number }
  | { silence: number };

interface Story {
  destination: string;
  /** To each attempt; the last one goes for all that follow. */
  said: Said[];
  path: string;
  body: (n: number, chance: number) => object;
  /** Hours before now, and the share of the letters that died then. */
  deaths: readonly (readonly [hoursAgo: number, hours: number, count: number])[];
}

const BUSY: Said = { status: 503, code: 'SERVICE_UNAVAILABLE', message: 'The service is temporarily unavailable.' };
const OPT_IN = '/v1/subscriptions/opt-in';
const phone = (chance: number): string => `+45${20_000_000 + Math.floor(chance * 79_999_999)}`;

export const STORIES: readonly Story[] = [
  {
    destination: 'sms',
    said: [
      {
        status: 400,
        code: 'VALIDATION_ERROR',
        message: 'phone_number must be a valid E.164 number.',
        field: 'phone_number',
      },
    ],
    path: OPT_IN,
    body: (n, chance) => ({ phone_number: phone(chance).slice(3), list: 'newsletter', order_id: 48_000 + n }),
    deaths: [
      [20, 14, 9],
      [5, 4.9, 62],
    ],
  },
  {
    destination: 'sms',
    said: [
      BUSY,
      { ...BUSY, retryAfterS: 1 },
      BUSY,
      { ...BUSY, retryAfterS: 12 },
      { status: 503, code: 'SERVICE_UNAVAILABLE', message: 'The service is temporarily unavailable.' },
    ],
    path: OPT_IN,
    body: (n, chance) => ({ phone_number: phone(chance), list: 'newsletter', order_id: 48_200 + n }),
    deaths: [[2.4, 0.4, 38]],
  },
  {
    destination: 'sms',
    said: [{ silence: 15_000 }, BUSY],
    path: OPT_IN,
    body: (n, chance) => ({ phone_number: phone(chance), list: 'receipts', order_id: 48_400 + n }),
    deaths: [[2.3, 0.3, 7]],
  },
  {
    destination: 'sms',
    said: [{ status: 404, code: 'SUBSCRIPTION_NOT_FOUND', message: 'No subscription has this number.' }],
    path: '/v1/subscriptions/opt-out',
    body: (n, chance) => ({ phone_number: phone(chance), order_id: 48_500 + n }),
    deaths: [[23, 22, 14]],
  },
  {
    destination: 'profiles',
    said: [{ status: 401, code: 'INVALID_API_KEY', message: 'The API key is not known.' }],
    path: '/v1/profiles',
    body: (n) => ({ email: `customer-${7100 + n}@example.com`, attributes: { plan: 'basic' } }),
    deaths: [[0.7, 0.5, 24]],
  },
  {
    destination: 'profiles',
    said: [{ status: 422, code: 'VALIDATION_ERROR', message: 'email must be a valid email address.', field: 'email' }],
    path: '/v1/profiles',
    body: (n) => ({ email: `customer ${7200 + n}(at)example.com`, attributes: { plan: 'plus' } }),
    deaths: [[22, 21, 11]],
  },
  {
    destination: 'sales',
    said: [{ status: 502, code: 'HTTP_502', message: 'Bad gateway' }],
    path: '/v1/sales-events',
    body: (n, chance) => ({
      store_id: 'cph-1',
      // Some are wrong, and die again at the first answer.
      amount: n % 23 === 20 ? -1 : Number((12 + chance * 400).toFixed(2)),
      currency: 'DKK',
      order_id: 51_000 + n,
    }),
    deaths: [[3.1, 0.6, 140]],
  },
  {
    destination: 'sales',
    said: [
      {
        status: 400,
        code: 'VALIDATION_ERROR',
        message: 'currency must be three letters (ISO 4217).',
        field: 'currency',
      },
    ],
    path: '/v1/sales-events',
    body: (n, chance) => ({
      store_id: 'aar-2',
      amount: Math.floor(chance * 900),
      currency: 'kr.',
      order_id: 51_900 + n,
    }),
    deaths: [[16, 12, 5]],
  },
];

/** The one that is shown by itself. */
export const SHOWN = { destination: 'sms', code: 'SERVICE_UNAVAILABLE' };
/** The group that is replayed. */
export const REPLAYED = { destination: 'sales', code: 'HTTP_502' };

/** @param baseUrl of the API that really answers; left out for what people see */
export const configOf = (baseUrl = 'https://api.example.com'): ConfigInput => ({
  destinations: Object.fromEntries(
    [...new Set(STORIES.map(({ destination }) => destination))].map((name) => [
      name,
      {
        baseUrl,
        auth: { header: 'x-api-key', env: 'API_KEY' },
        ...(name === 'sms' && { redact: { body: ['/phone_number'] } }),
      },
    ]),
  ),
});

/** Numbers that look drawn, and are the same every time. @returns from [0, 1) */
export function chanceOf(...of: (string | number)[]): number {
  return createHash('sha256').update(of.join(' ')).digest().readUInt32BE() / 2 ** 32;
}

const hex = (...of: (string | number)[]): string => createHash('sha256').update(of.join(' ')).digest('hex');
const uuid = (...of: (string | number)[]): string =>
  hex(...of).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5');

/** @param now epoch ms */
export function* lettersOf(story: Story, nth: number, policy: Policy, now: number): Generator<DeadLetter> {
  let n = 0;
  for (const [hoursAgo, hours, count] of story.deaths) {
    for (let i = 0; i < count; i += 1) {
      const chance = chanceOf(nth, n, 'when');
      const bornAt = Math.floor(now - hoursAgo * HOUR_MS + ((i + chance) / count) * hours * HOUR_MS - MINUTE_MS);
      yield letterOf(story, { nth, n, bornAt }, policy);
      n += 1;
    }
  }
}

function letterOf(
  story: Story,
  { nth, n, bornAt }: { nth: number; n: number; bornAt: number },
  policy: Policy,
): DeadLetter {
  const idempotencyKey = uuid(nth, n, 'key');
  const { path, destination } = story;
  const body = JSON.stringify(story.body(n, chanceOf(nth, n, 'body')));
  const write: Write = { method: 'POST', path, body, idempotencyKey };
  let journal: Journal = emptyJournal();
  let at = bornAt + 40;
  for (;;) {
    const attempt = journal.attempts.length + 1;
    const outcome = outcomeOf(story.said[Math.min(attempt, story.said.length) - 1], [nth, n, attempt]);
    const durationMs = 'durationMs' in outcome ? outcome.durationMs : 0;
    const chance = chanceOf(nth, n, attempt, 'jitter');
    const settled = decide(outcome, journal, policy.maxAttempts, policy, at + durationMs, chance);
    const { kind, durationMs: _, retryAfterMs: __, ...told } = outcome as Extract<Outcome, { kind: 'response' }>;
    const entry: Attempt = {
      attempt,
      at,
      durationMs,
      outcome: kind,
      evidence: evidenceOf(outcome, policy, true),
      disposition: settled.kind,
      ...told,
      ...(told.envelope && { code: told.envelope.code }),
      ...('wait' in settled && { wait: settled.wait }),
      ...('because' in settled && { because: settled.because }),
      worker: 'worker-1',
    };
    journal = record(journal, entry);
    if (settled.kind === 'dead') {
      const { reason, because } = settled;
      const jobId = jobIdOf(idempotencyKey);
      const facts = { destination, jobId, enqueuedAt: bornAt, reason, because, lost: 0, journal, write };
      return deadLetter(facts, policy, at + durationMs);
    }
    at += durationMs + ('wait' in settled ? settled.wait.delayMs : 0) + 3;
  }
}

function outcomeOf(said: Said | undefined, of: readonly number[]): Outcome {
  if (said === undefined || 'silence' in said)
    return { kind: 'no-answer', code: 'WAYBILL_DEADLINE', durationMs: said?.silence ?? 0 };
  const { status, code, message, field, retryAfterS } = said;
  const requestId = `req_${hex(...of, 'request').slice(0, 24)}`;
  const details = field === undefined ? undefined : { field };
  return {
    kind: 'response',
    status,
    durationMs: 35 + Math.floor(chanceOf(...of, 'duration') * 180),
    replayed: false,
    requestId,
    envelope: { code, message, ...(details && { details: JSON.stringify(details) }) },
    body: JSON.stringify({ code, message, request_id: requestId, ...(details && { details }) }),
    ...(retryAfterS !== undefined && { retryAfterMs: retryAfterS * 1000 }),
  };
}
