// The schema of the configuration: every setting with its range, its default and what it means, in one place.
import { z } from 'zod';
import { LOG_LEVELS } from './log-levels.ts';
import { redisSettings } from './redis-settings.ts';
import { ROLES } from './role.ts';
import { MAX_ATTEMPTS } from './write.ts';

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
export const DAY_MS = 86_400_000;
const MAX_KEEP_MS = 3650 * DAY_MS;
/** The first attempt included (docs/contract.md). */
export const DEFAULT_MAX_ATTEMPTS = 5;

const ms = (low: number, high: number) => z.int().min(low).max(high);
const headerName = z.string().regex(HEADER_NAME, 'must be an HTTP header name');
const bodyPointer = z
  .string()
  .regex(
    /^(\/[^/]{1,128}){1,32}$/,
    'must be a JSON pointer such as /card/number or /items/*/iban; * is any name or index',
  );
const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

/** `strictObject`, so that a misspelt name is an error and not a silent default. */
export const destination = z.strictObject({
  baseUrl: z
    .string()
    .superRefine(checkBaseUrl)
    .describe(
      "Where the API is, http:// or https://: its origin and, if any, a path that every write's path is put behind.",
    ),
  auth: z
    .strictObject({
      header: headerName.describe('The header that carries the credential.'),
      env: envName.describe(
        'The environment variable that holds it; or a file holds it, which the variable `<env>_FILE` names.',
      ),
      prefix: z.string().max(64).default('').describe('Put before the credential, such as `Bearer ` with its space.'),
    })
    .optional()
    .describe('The credential that goes with every write. Without it none does.'),
  concurrency: z.int().min(1).max(10_000).default(50).describe('Writes in flight at once, per worker.'),
  timeoutMs: ms(10, 600_000)
    .default(15_000)
    .describe('The longest that one attempt may take, connecting included. At most half of `idempotency.ttlMs`.'),
  retry: z
    .strictObject({
      maxAttempts: z
        .int()
        .min(1)
        .max(MAX_ATTEMPTS)
        .default(DEFAULT_MAX_ATTEMPTS)
        .describe('Attempts in all, the first one included. A write may override it.'),
      baseMs: ms(1, 3_600_000)
        .default(1000)
        .describe('The wait after the first attempt; it doubles with each one more.'),
      capMs: ms(1, DAY_MS).default(30_000).describe('The longest wait before jitter. At least `baseMs`.'),
      jitter: z.number().min(0).max(1).default(0.2).describe('The share of the wait that chance may add to it.'),
      retryAfterCapMs: ms(0, DAY_MS)
        .default(3_600_000)
        .describe('The longest wait that a `Retry-After` of the API may ask for.'),
    })
    .prefault({}),
  idempotency: z
    .strictObject({
      header: headerName.default('Idempotency-Key').describe('The header that carries the key.'),
      ttlMs: ms(1000, 365 * DAY_MS)
        .default(DAY_MS)
        .describe(
          'How long the API keeps a key, counted from its first send. No attempt goes out when it may have passed.',
        ),
      replayedHeader: headerName
        .default('Idempotent-Replayed')
        .describe('The header by which the API marks a stored answer; its value is `true`.'),
      inProgressCodes: z
        .array(z.string().min(1))
        .default(['IDEMPOTENCY_IN_PROGRESS'])
        .describe('A 409 with one of these codes is postponed; every other 409 is dead.'),
      unappliedStatuses: z
        .array(z.int().min(500).max(599))
        .default([503])
        .describe('5xx that the API gives only when it did not apply the write. Every other 5xx leaves a doubt.'),
    })
    .prefault({}),
  redact: z
    .strictObject({
      body: z
        .array(bodyPointer)
        .max(200)
        .default([])
        .describe('What the dashboard masks in a body: JSON pointers, in which `*` is any name or index.'),
      headers: z.array(headerName).max(200).default([]).describe('The headers of a write whose values it masks.'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      deliveredMs: ms(1000, MAX_KEEP_MS)
        .optional()
        .describe(
          "How long a delivered write's answer and key are kept; `idempotency.ttlMs` when left out, and never less.",
        ),
      deadMs: ms(1000, MAX_KEEP_MS)
        .optional()
        .describe(
          'How long a dead letter that nobody handled is kept, from its death; 90 days when left out, or `idempotency.ttlMs` where that is longer, and never less than that.',
        ),
      deadMax: z
        .int()
        .min(1)
        .max(100_000_000)
        .default(1_000_000)
        .describe(
          'How many of those are kept; past it the oldest go, except those that are younger than `idempotency.ttlMs`.',
        ),
      handledMs: ms(1000, MAX_KEEP_MS)
        .optional()
        .describe(
          'How long a replayed or discarded dead letter is kept, from that act; 30 days when left out, or `idempotency.ttlMs` where that is longer, and never less than that.',
        ),
      auditMs: ms(1000, MAX_KEEP_MS)
        .default(365 * DAY_MS)
        .describe('How long an entry of the audit stream is kept.'),
    })
    .prefault({}),
});

/** docs/reference/configuration.md is made from it. */
export const schema = z.strictObject({
  redis: redisSettings.prefault({}),
  destinations: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be a-z, 0-9, - and _, at most 63'), destination)
    .default({})
    .describe('The APIs to write to, by name: 1 to 63 characters, a-z, 0-9, - and _, the first a letter or digit.'),
  worker: z
    .strictObject({
      lockMs: ms(200, 3_600_000)
        .default(30_000)
        .describe('A worker that does not renew its hold on a write within this time has lost it to another.'),
      stalledIntervalMs: ms(200, 3_600_000)
        .default(30_000)
        .describe('Between two looks for writes whose worker was lost.'),
      maxCrashes: z
        .int()
        .min(0)
        .max(1000)
        .default(5)
        .describe('Starts without a record that a write survives; one more, and it is dead as `crashed`.'),
      retentionIntervalMs: ms(50, 3_600_000).default(60_000).describe('Between two rounds of retention.'),
      graceMs: ms(0, 3_600_000)
        .optional()
        .describe(
          'After SIGTERM, how long attempts in flight may take before they are cut off; the longest `timeoutMs` and 5 s when left out.',
        ),
    })
    .prefault({}),
  health: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .max(255)
        .default('127.0.0.1')
        .describe('The address that /livez, /readyz and /metrics are served on.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .optional()
        .describe('Their port, 0 for a free one. Without it nothing is served.'),
      fetchWithinMs: ms(1000, 3_600_000)
        .default(30_000)
        .describe('A consumer that could take a write and asked Redis for none within this time is started afresh.'),
    })
    .prefault({}),
  dashboard: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .max(255)
        .default('127.0.0.1')
        .describe('The address that the dashboard is served on. Any other than loopback needs a way to sign in.'),
      port: z.int().min(0).max(65_535).default(7070).describe('Its port, 0 for a free one.'),
      environment: z
        .string()
        .min(1)
        .max(40)
        .optional()
        .describe('A badge on every view, such as `production`, so that nobody acts in the wrong place.'),
      sessionMs: ms(60_000, 30 * DAY_MS)
        .default(43_200_000)
        .describe('How long a person stays signed in.'),
      trustedProxy: z
        .strictObject({
          userHeader: headerName.describe('The header in which the proxy says who it is.'),
          roleHeader: headerName.optional().describe('The one in which it says the role: viewer, operator or admin.'),
          role: z.enum(ROLES).default('viewer').describe('The role of everybody without such a header.'),
          from: z
            .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
            .min(1)
            .max(100)
            .describe('The addresses of the proxy; the headers of any other peer are refused.'),
        })
        .optional()
        .describe('Sign-in is left to a proxy in front of the dashboard.'),
      unconfigured: z
        .enum(['hide', 'show'])
        .default('hide')
        .describe(
          'Bodies and header values of a destination that this configuration lacks, and whose `redact` rules are not known.',
        ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(LOG_LEVELS)
        .default('info')
        .describe("The worker's log: lines of this level and above. `silent` is none."),
    })
    .prefault({}),
});

function checkBaseUrl(value: string, context: z.RefinementCtx): void {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    return context.addIssue('must be an http:// or https:// URL');
  // Never quoted: what stands there may be a password.
  if (url.username || url.password)
    context.addIssue('must not hold a user or password; use auth, whose value comes from the environment');
  if (url.search || url.hash) context.addIssue('must not hold a query or a fragment');
}
