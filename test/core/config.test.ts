import { describe, expect, test } from 'vitest';
import { policyOf, resolveConfig } from '../../core/config.ts';

const sms = { baseUrl: 'https://api.example.com' };
const messageOf = (file: unknown, fileName?: string): string => {
  try {
    resolveConfig(file, [], fileName);
  } catch (error) {
    return (error as Error).message;
  }
  return 'was accepted';
};

test('the defaults are those of the contract', () => {
  const config = resolveConfig({ destinations: { sms } });
  expect(policyOf(config.destinations.sms!, config.worker)).toMatchObject({
    maxAttempts: 5,
    baseMs: 1000,
    capMs: 30_000,
    jitter: 0.2,
    keyTtlMs: 86_400_000,
    unappliedStatuses: [503],
    inProgressCodes: ['IDEMPOTENCY_IN_PROGRESS'],
  });
  expect(config.redis.url).toBe('redis://127.0.0.1:6379');
});

test('every wrong value is named at once, with what is allowed', () => {
  const message = messageOf({
    redis: { url: 'http://x' },
    destinations: { sms: { baseUrl: 'ftp://x', concurrency: 0, retry: { maxAttemps: 5, jitter: 2 } }, 'No Good': sms },
    extra: 1,
  });
  for (const part of [
    '7 wrong value(s)',
    'redis.url: must be a redis:// or rediss:// URL',
    'destinations.sms.baseUrl: must be an http:// or https:// URL',
    'destinations.sms.concurrency',
    'has no setting maxAttemps; allowed are maxAttempts, baseMs, capMs, jitter, retryAfterCapMs',
    'destinations.sms.retry.jitter',
    'destinations.No Good: must be a-z',
    'has no setting extra; allowed are redis, destinations, worker, health, dashboard, log',
  ]) {
    expect(message).toContain(part);
  }
});

describe('secrets', () => {
  test('a user or password in a base URL is refused and not repeated', () => {
    const message = messageOf({ destinations: { sms: { baseUrl: 'https://me:hunter22@api.example.com' } } });
    expect(message).toContain('must not hold a user or password');
    expect(message).not.toContain('hunter22');
  });

  test('a Redis password in a file is refused and not repeated; in an override it is taken', () => {
    const url = 'redis://:hunter22@127.0.0.1:6379';
    expect(messageOf({ redis: { url } }, 'waybill.config.json')).toContain('must not hold a password in a file');
    expect(messageOf({ redis: { url } }, 'waybill.config.json')).not.toContain('hunter22');
    expect(resolveConfig({}, [{ path: ['redis', 'url'], value: url, from: 'REDIS_URL' }]).redis.url).toBe(url);
  });
});

test('a Redis URL with a query is refused: the driver would read a password there', () =>
  expect(messageOf({ redis: { url: 'redis://127.0.0.1:6379?password=hunter22' } })).toMatch(
    /must not hold a query(?!.*hunter22)/,
  ));

test('an override wins over the file, the last one over all, and is named in the message', () => {
  const overrides = [
    { path: ['log', 'level'], value: 'warn', from: 'WAYBILL_LOG_LEVEL' },
    { path: ['log', 'level'], value: 'error', from: '--log-level' },
  ];
  expect(resolveConfig({ log: { level: 'debug' } }, overrides).log.level).toBe('error');
  expect(() => resolveConfig({}, [{ path: ['log', 'level'], value: 'loud', from: '--log-level' }])).toThrow(
    'from --log-level',
  );
});

test('values that contradict each other are named', () => {
  expect(messageOf({ destinations: { sms: { ...sms, retry: { baseMs: 5000, capMs: 1000 } } } })).toContain(
    'capMs: must be at least baseMs',
  );
  expect(messageOf({ destinations: { sms: { ...sms, idempotency: { ttlMs: 1000 } } } })).toContain(
    'at most half of idempotency.ttlMs',
  );
});

test('a resolved configuration is frozen', () => {
  const config = resolveConfig({ destinations: { sms } });
  expect(() => Object.assign(config.destinations.sms!, { concurrency: 1 })).toThrow(TypeError);
});
