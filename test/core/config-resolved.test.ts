// What a program gets of its configuration, and what it is told of one that is wrong, word by word.
import { describe, expect, test } from 'vitest';
import { defineConfig, type Override, policyOf, resolveConfig, retentionOf } from '../../core/config.ts';
import type { WaybillError } from '../../core/errors.ts';

const DAY_MS = 86_400_000;
const baseUrl = 'https://api.example.com';

function errorOf(file: unknown, overrides: Override[] = [], fileName?: string): WaybillError | undefined {
  try {
    resolveConfig(file, overrides, fileName);
  } catch (error) {
    return error as WaybillError;
  }
  return undefined;
}
const faultsOf = (...given: Parameters<typeof errorOf>): string[] => {
  const [head = '', ...lines] = errorOf(...given)?.message.split('\n  ') ?? [];
  if (lines.length > 0) expect(head).toBe(`${lines.length} wrong value(s) in the configuration:`);
  return lines;
};
const smsFaults = (sms: object): string[] => faultsOf({ destinations: { sms: { baseUrl, ...sms } } });
const smsWith = (sms: object) => resolveConfig({ destinations: { sms: { baseUrl, ...sms } } }).destinations.sms!;

describe('a wrong configuration', () => {
  test('has a code, and is named by its file, or as the configuration', () => {
    expect(errorOf([])).toMatchObject({ code: 'INVALID_CONFIG', message: 'the configuration must hold an object' });
    expect(errorOf('text')?.message).toBe('the configuration must hold an object');
    expect(errorOf([], [], 'my.json')?.message).toBe('my.json must hold an object');
    expect(errorOf({ log: 1 })).toMatchObject({ code: 'INVALID_CONFIG' });
    expect(errorOf(null)).toBeUndefined();
  });

  test('tells of each value its place, what is allowed, and where it came from', () => {
    expect(faultsOf({ worker: { lockMs: 1 } }, [], 'my.json')).toEqual([
      'worker.lockMs: Too small: expected number to be >=200 (from my.json)',
    ]);
    expect(faultsOf({ worker: { lockMs: 'x' } })).toEqual([
      'worker.lockMs: expected number, received string (from the configuration)',
    ]);
    expect(
      faultsOf({ log: { level: 'debug' } }, [{ path: ['log', 'level'], value: 'x', from: '--log-level' }]),
    ).toEqual([
      'log.level: Invalid option: expected one of "trace"|"debug"|"info"|"warn"|"error"|"silent" (from --log-level)',
    ]);
    expect(faultsOf({ destinations: { 'No Good': { baseUrl } } })).toEqual([
      'destinations.No Good: must be a-z, 0-9, - and _, at most 63 (from the configuration)',
    ]);
  });

  test('tells which settings there are, where one is misspelt', () => {
    expect(faultsOf({ extra: 1, more: 2 })).toEqual([
      '(the whole): has no setting extra, more; allowed are redis, destinations, worker, health, dashboard, log (from the configuration)',
    ]);
    expect(smsFaults({ auth: { header: 'a', env: 'B', prefixx: '' } })).toEqual([
      'destinations.sms.auth: has no setting prefixx; allowed are header, env, prefix (from the configuration)',
    ]);
  });

  test('is told whole: wrong values, passwords in a file and contradictions together', () =>
    expect(
      faultsOf(
        {
          redis: { password: 's3cret' },
          worker: { lockMs: 1 },
          destinations: { sms: { baseUrl, timeoutMs: 2000, idempotency: { ttlMs: 3000 } }, bad: {} },
        },
        [],
        'my.json',
      ),
    ).toEqual([
      expect.stringMatching(/^redis\.password: must not stand in a file/),
      'destinations.bad.baseUrl: expected string, received undefined (from my.json)',
      'worker.lockMs: Too small: expected number to be >=200 (from my.json)',
      'destinations.sms.timeoutMs: must be at most half of idempotency.ttlMs',
    ]));
});

describe('values of a destination that contradict each other', () => {
  test('the cap of the wait is at least its base', () => {
    expect(smsFaults({ retry: { baseMs: 5000, capMs: 5000 } })).toEqual([]);
    expect(smsFaults({ retry: { baseMs: 5001, capMs: 5000 } })).toEqual([
      'destinations.sms.retry.capMs: must be at least baseMs (5001)',
    ]);
  });

  test('an attempt takes at most half of the life of a key', () => {
    expect(smsFaults({ timeoutMs: 1000, idempotency: { ttlMs: 2000 } })).toEqual([]);
    expect(smsFaults({ timeoutMs: 1001, idempotency: { ttlMs: 2000 } })).toEqual([
      'destinations.sms.timeoutMs: must be at most half of idempotency.ttlMs',
    ]);
  });

  test.each(['deliveredMs', 'deadMs', 'handledMs'])('%s is no shorter than the life of a key', (field) => {
    expect(smsFaults({ retention: { [field]: DAY_MS } })).toEqual([]);
    expect(smsFaults({ retention: { [field]: DAY_MS - 1 } })).toEqual([
      `destinations.sms.retention.${field}: must be at least idempotency.ttlMs (86400000), or a key could be sent again as new`,
    ]);
  });

  test('the credential has a header of its own', () => {
    expect(smsFaults({ auth: { header: 'Authorization', env: 'A' } })).toEqual([]);
    expect(smsFaults({ auth: { header: 'IDEMPOTENCY-key', env: 'A' } })).toEqual([
      'destinations.sms.auth.header: must differ from idempotency.header',
    ]);
    expect(smsFaults({ auth: { header: 'x-key', env: 'A' }, idempotency: { header: 'X-KEY' } })).toHaveLength(1);
  });
});

describe('an override', () => {
  const override = (path: string[], value: unknown): Override => ({ path, value, from: 'X' });

  test('makes the sections that it needs, and leaves the rest of a section as it is', () => {
    const config = resolveConfig({ worker: { lockMs: 500 }, log: null }, [
      override(['worker', 'maxCrashes'], 2),
      override(['health', 'port'], 8080),
      override(['log', 'level'], 'warn'),
    ]);
    expect(config.worker).toMatchObject({ lockMs: 500, maxCrashes: 2 });
    expect(config.health.port).toBe(8080);
    expect(config.log.level).toBe('warn');
  });

  test('does not change what was given', () => {
    const file = { worker: { lockMs: 500 } };
    resolveConfig(file, [override(['worker', 'lockMs'], 600)]);
    expect(file).toEqual({ worker: { lockMs: 500 } });
  });

  test('of a section that is no object takes its place', () =>
    expect(resolveConfig({ log: 'loud' }, [override(['log', 'level'], 'warn')]).log.level).toBe('warn'));
});

test('a file without a section of Redis, or with an empty one, holds no password', () => {
  expect(resolveConfig({}, [], 'my.json').redis.url).toBe('redis://127.0.0.1:6379');
  expect(resolveConfig({ redis: {} }, [], 'my.json').redis.url).toBe('redis://127.0.0.1:6379');
});

test('a resolved configuration is frozen through and through', () => {
  const config = resolveConfig({ destinations: { sms: { baseUrl } } });
  for (const part of [config, config.destinations, config.destinations.sms?.retry, config.redis]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
  expect(Object.isFrozen(config.destinations.sms?.idempotency.inProgressCodes)).toBe(true);
});

test('defineConfig gives back what it was given', () => {
  const config = { destinations: {} };
  expect(defineConfig(config)).toBe(config);
});

test('the rules see of a destination its retries, its key and what its worker survives', () => {
  const sms = smsWith({
    timeoutMs: 900,
    idempotency: { ttlMs: 5000, inProgressCodes: ['BUSY'], unappliedStatuses: [] },
  });
  expect(policyOf(sms, resolveConfig({ worker: { maxCrashes: 3 } }).worker)).toStrictEqual({
    maxAttempts: 5,
    baseMs: 1000,
    capMs: 30_000,
    jitter: 0.2,
    retryAfterCapMs: 3_600_000,
    timeoutMs: 900,
    keyTtlMs: 5000,
    inProgressCodes: ['BUSY'],
    unappliedStatuses: [],
    maxCrashes: 3,
  });
});

describe('how long things are kept', () => {
  test('by default: a delivered write as long as its key lives, dead ones 90 days, handled ones 30', () =>
    expect(retentionOf(smsWith({}))).toStrictEqual({
      deliveredMs: DAY_MS,
      deadMs: 90 * DAY_MS,
      deadMax: 1_000_000,
      handledMs: 30 * DAY_MS,
      auditMs: 365 * DAY_MS,
    }));

  test('nothing less long than the key lives', () =>
    expect(retentionOf(smsWith({ idempotency: { ttlMs: 100 * DAY_MS } }))).toMatchObject({
      deliveredMs: 100 * DAY_MS,
      deadMs: 100 * DAY_MS,
      handledMs: 100 * DAY_MS,
    }));

  test('what is configured', () => {
    const retention = { deliveredMs: 2 * DAY_MS, deadMs: 3 * DAY_MS, deadMax: 9, handledMs: 4 * DAY_MS, auditMs: 5000 };
    expect(retentionOf(smsWith({ retention }))).toStrictEqual(retention);
  });
});
