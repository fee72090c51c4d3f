import { describe, expect, test } from 'vitest';
import { schema } from '../../core/config-schema.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

/** A configuration that has every section. */
const WHOLE = {
  redis: { tls: {}, waitForReplicas: { count: 1 } },
  destinations: {
    sms: {
      baseUrl: 'https://api.example.com',
      auth: { header: 'Authorization', env: 'SMS_TOKEN' },
      idempotency: { unappliedStatuses: [503], inProgressCodes: ['BUSY'] },
      redact: { body: ['/a'], headers: ['x-a'] },
    },
  },
  dashboard: { trustedProxy: { userHeader: 'x-user', from: ['10.0.0.1'] } },
};

/** What is said against a value at its place, each with the path of what is wrong. */
function faultsOf(path: string, value: unknown): string[] {
  const config: Record<string, unknown> = structuredClone(WHOLE);
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  const section = steps.reduce<Record<string, unknown>>(
    (inner, step) => (inner[step] ??= {}) as Record<string, unknown>,
    config,
  );
  section[last] = value;
  return (schema.safeParse(config).error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}
const taken = (path: string, value: unknown): void => expect(faultsOf(path, value)).toEqual([]);
const refused = (path: string, value: unknown, why = ''): void =>
  expect(faultsOf(path, value)).toEqual([expect.stringContaining(`${path}: ${why}`)]);

describe('a whole number', () => {
  test.each<[string, number, number]>([
    ['destinations.sms.concurrency', 1, 10_000],
    ['destinations.sms.timeoutMs', 10, 600_000],
    ['destinations.sms.retry.maxAttempts', 1, 100],
    ['destinations.sms.retry.baseMs', 1, 3_600_000],
    ['destinations.sms.retry.capMs', 1, DAY_MS],
    ['destinations.sms.retry.retryAfterCapMs', 0, DAY_MS],
    ['destinations.sms.idempotency.ttlMs', 1000, YEAR_MS],
    ['destinations.sms.idempotency.unappliedStatuses.0', 500, 599],
    ['destinations.sms.retention.deliveredMs', 1000, 10 * YEAR_MS],
    ['destinations.sms.retention.deadMs', 1000, 10 * YEAR_MS],
    ['destinations.sms.retention.deadMax', 1, 100_000_000],
    ['destinations.sms.retention.handledMs', 1000, 10 * YEAR_MS],
    ['destinations.sms.retention.auditMs', 1000, 10 * YEAR_MS],
    ['worker.lockMs', 200, 3_600_000],
    ['worker.stalledIntervalMs', 200, 3_600_000],
    ['worker.maxCrashes', 0, 1000],
    ['worker.retentionIntervalMs', 50, 3_600_000],
    ['worker.graceMs', 0, 3_600_000],
    ['health.port', 0, 65_535],
    ['health.fetchWithinMs', 1000, 3_600_000],
    ['dashboard.port', 0, 65_535],
    ['dashboard.sessionMs', 60_000, 30 * DAY_MS],
    ['redis.waitForReplicas.count', 1, 100],
    ['redis.waitForReplicas.timeoutMs', 10, 60_000],
  ])('%s is one from %i to %i', (path, low, high) => {
    taken(path, low);
    taken(path, high);
    refused(path, low - 1);
    refused(path, high + 1);
    refused(path, low + 0.5);
    refused(path, String(low));
  });

  test('retry.jitter is a share from 0 to 1, and need not be whole', () => {
    for (const share of [0, 0.25, 1]) taken('destinations.sms.retry.jitter', share);
    for (const share of [-0.01, 1.01]) refused('destinations.sms.retry.jitter', share);
  });
});

describe('a text', () => {
  test.each<[string, number, number]>([
    ['destinations.sms.auth.prefix', 0, 64],
    ['health.host', 1, 255],
    ['dashboard.host', 1, 255],
    ['dashboard.environment', 1, 40],
    ['redis.password', 1, 4096],
    ['redis.sentinelPassword', 1, 4096],
    ['redis.tls.caFile', 1, 4096],
    ['redis.tls.certFile', 1, 4096],
    ['redis.tls.keyFile', 1, 4096],
    ['redis.tls.servername', 1, 253],
    ['destinations.sms.idempotency.inProgressCodes.0', 1, 10_000],
  ])('%s has %i to %i characters', (path, low, high) => {
    taken(path, 'x'.repeat(low));
    taken(path, 'x'.repeat(high));
    if (low > 0) refused(path, '');
    if (high < 10_000) refused(path, 'x'.repeat(high + 1));
  });

  test.each([
    'destinations.sms.auth.header',
    'destinations.sms.idempotency.header',
    'destinations.sms.idempotency.replayedHeader',
    'dashboard.trustedProxy.userHeader',
    'dashboard.trustedProxy.roleHeader',
    'destinations.sms.redact.headers.0',
  ])('%s is a header name', (path) => {
    taken(path, "X-Id_1.~!#$%&'*+^`|");
    for (const name of ['', 'a b', 'a:b', ' a', 'a ', 'ä']) refused(path, name, 'must be an HTTP header name');
  });

  test('auth.env is the name of an environment variable', () => {
    for (const name of ['A', '_a1', 'SMS_TOKEN']) taken('destinations.sms.auth.env', name);
    for (const name of ['', '1A', 'A-B', ' A', 'A ', 'A=B'])
      refused('destinations.sms.auth.env', name, 'must be the name of an environment variable');
  });

  test('redact.body is made of JSON pointers, of at most 32 steps with at most 128 characters each', () => {
    const path = 'destinations.sms.redact.body.0';
    for (const pointer of ['/a', '/card/number', '/items/*/iban', '/a'.repeat(32), `/${'a'.repeat(128)}`])
      taken(path, pointer);
    for (const pointer of ['', 'a', '/', '/a/', '/a//b', 'x/a', '/a'.repeat(33), `/${'a'.repeat(129)}`])
      refused(path, pointer, 'must be a JSON pointer such as /card/number or /items/*/iban; * is any name or index');
  });

  test('the name of a destination has 1 to 63 characters, a-z, 0-9, - and _', () => {
    const sms = { baseUrl: 'https://api.example.com' };
    for (const name of ['a', '0', 'a-b_c', 'a'.repeat(63)]) taken('destinations', { [name]: sms });
    for (const name of ['', 'A', '-a', '_a', 'a b', ' a', 'a ', 'a'.repeat(64)])
      expect(schema.safeParse({ destinations: { [name]: sms } }).error?.issues[0]).toMatchObject({
        path: ['destinations', name],
        issues: [{ message: 'must be a-z, 0-9, - and _, at most 63' }],
      });
  });
});

describe('one of some words', () => {
  test.each<[string, readonly string[]]>([
    ['dashboard.trustedProxy.role', ['viewer', 'operator', 'admin']],
    ['dashboard.unconfigured', ['hide', 'show']],
    ['log.level', ['trace', 'debug', 'info', 'warn', 'error', 'silent']],
  ])('%s is one of %j', (path, words) => {
    for (const word of words) taken(path, word);
    for (const word of ['', 'other', words[0]?.toUpperCase()]) refused(path, word);
  });
});

describe('a list', () => {
  test.each<[string, number, number, string]>([
    ['destinations.sms.redact.body', 0, 200, '/a'],
    ['destinations.sms.redact.headers', 0, 200, 'x-a'],
    ['dashboard.trustedProxy.from', 1, 100, '10.0.0.1'],
  ])('%s has %i to %i entries', (path, low, high, entry) => {
    taken(path, Array(low).fill(entry));
    taken(path, Array(high).fill(entry));
    refused(path, Array(high + 1).fill(entry));
    if (low > 0) refused(path, []);
  });

  test('the addresses of a proxy are those of hosts or networks, of either family', () => {
    taken('dashboard.trustedProxy.from', ['10.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8']);
    for (const address of ['proxy.example.com', '10.0.0.256', '']) refused('dashboard.trustedProxy.from.0', address);
  });
});

describe('a base URL', () => {
  const path = 'destinations.sms.baseUrl';

  test.each(['https://api.example.com', 'http://127.0.0.1:8080/v1/'])('may be %s', (url) => taken(path, url));

  test.each([
    ['api.example.com', 'must be an http:// or https:// URL'],
    ['ftp://api.example.com', 'must be an http:// or https:// URL'],
    [
      'https://me@api.example.com',
      'must not hold a user or password; use auth, whose value comes from the environment',
    ],
    [
      'https://:pw@api.example.com',
      'must not hold a user or password; use auth, whose value comes from the environment',
    ],
    ['https://api.example.com/?a=1', 'must not hold a query or a fragment'],
    ['https://api.example.com/#a', 'must not hold a query or a fragment'],
  ])('must not be %s: %s', (url, why) => expect(faultsOf(path, url)).toEqual([`${path}: ${why}`]));
});

test('every default is the one of the reference', () =>
  expect(schema.parse({ destinations: { sms: { baseUrl: 'https://api.example.com' } } })).toStrictEqual({
    redis: { url: 'redis://127.0.0.1:6379' },
    destinations: {
      sms: {
        baseUrl: 'https://api.example.com',
        concurrency: 50,
        timeoutMs: 15_000,
        retry: { maxAttempts: 5, baseMs: 1000, capMs: 30_000, jitter: 0.2, retryAfterCapMs: 3_600_000 },
        idempotency: {
          header: 'Idempotency-Key',
          ttlMs: DAY_MS,
          replayedHeader: 'Idempotent-Replayed',
          inProgressCodes: ['IDEMPOTENCY_IN_PROGRESS'],
          unappliedStatuses: [503],
        },
        redact: { body: [], headers: [] },
        retention: { deadMax: 1_000_000, auditMs: YEAR_MS },
      },
    },
    worker: { lockMs: 30_000, stalledIntervalMs: 30_000, maxCrashes: 5, retentionIntervalMs: 60_000 },
    health: { host: '127.0.0.1', fetchWithinMs: 30_000 },
    dashboard: { host: '127.0.0.1', port: 7070, sessionMs: 43_200_000, unconfigured: 'hide' },
    log: { level: 'info' },
  }));

test('what a section leaves out has its default', () => {
  const { redis, destinations, dashboard } = schema.parse(WHOLE);
  expect(redis.waitForReplicas).toStrictEqual({ count: 1, timeoutMs: 1000 });
  expect(destinations.sms?.auth).toStrictEqual({ header: 'Authorization', env: 'SMS_TOKEN', prefix: '' });
  expect(dashboard.trustedProxy).toStrictEqual({ userHeader: 'x-user', from: ['10.0.0.1'], role: 'viewer' });
  expect(schema.parse({}).destinations).toStrictEqual({});
});

test('a name that is no setting is refused in every section', () => {
  const sections = ['redis', 'redis.tls', 'redis.waitForReplicas', 'worker', 'health', 'dashboard', 'log'].concat(
    ['dashboard.trustedProxy', 'destinations.sms'],
    ['auth', 'retry', 'idempotency', 'redact', 'retention'].map((section) => `destinations.sms.${section}`),
  );
  for (const section of sections) {
    expect(faultsOf(`${section}.misspelt`, 1)).toEqual([`${section}: Unrecognized key: "misspelt"`]);
  }
});
