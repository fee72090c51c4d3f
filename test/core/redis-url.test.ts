import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import { parseRedisUrl, redisLabel } from '../../core/redis-url.ts';

const at = (host: string, port: number) => ({ host, port });

describe('an address names', () => {
  test.each([
    ['redis://127.0.0.1', { kind: 'single', tls: false, hosts: [at('127.0.0.1', 6379)], database: 0 }],
    ['REDIS://h:6380/3', { kind: 'single', hosts: [at('h', 6380)], database: 3 }],
    ['rediss://u:p%40ss%2F@h', { tls: true, username: 'u', password: 'p@ss/' }],
    ['redis://u:x,y@h', { hosts: [at('h', 6379)], password: 'x,y' }],
    ['redis://:p@h', { password: 'p', hosts: [at('h', 6379)] }],
    ['redis://[::1]:7/', { hosts: [at('::1', 7)] }],
    ['redis+sentinel://u@a,b:26380/my-primary.1', { kind: 'sentinel', username: 'u', name: 'my-primary.1' }],
    ['redis+sentinel://a,b:26380/p/2', { hosts: [at('a', 26_379), at('b', 26_380)], name: 'p', database: 2 }],
    ['rediss+sentinel://a/p', { kind: 'sentinel', tls: true }],
    ['redis+cluster://a:1,[::1]:2,b', { kind: 'cluster', hosts: [at('a', 1), at('::1', 2), at('b', 6379)] }],
    ['rediss+cluster://u:x%2Cy@a,b/', { kind: 'cluster', tls: true, password: 'x,y' }],
  ])('%s', (url, address) => expect(parseRedisUrl(url)).toMatchObject(address));
});

describe('an address that is none is refused with the reason, and not repeated', () => {
  test.each([
    ['http://s3cret', 'must be a redis:// or rediss:// URL, or one of redis+sentinel:// or redis+cluster://'],
    ['redis+sentinels://s3cret', 'must be a redis://'],
    ['redis://h?password=s3cret', 'must not hold a query'],
    ['redis://a,b', 'names several hosts: write redis+sentinel:// or redis+cluster://'],
    ['redis://h/s3cret', 'must end with a database number'],
    ['redis+sentinel://a', 'must name the primary as its Sentinels do'],
    ['redis+sentinel://a/p/x', 'must name the primary as its Sentinels do'],
    ['redis+cluster://a/1', 'a Cluster has one database'],
    ['redis+cluster://a,,b', 'must name its hosts'],
    ['redis+cluster://a:70000', 'must name its hosts'],
    ['redis://a:0', 'must name its hosts'],
    ['redis://u:s3cret@', 'must name its hosts'],
    ['see redis://s3cret', 'must be a redis://'],
    ['redis://h/1#s3cret', 'must not hold a query or a fragment'],
    ['redis://h/1\n?s3cret', 'must not hold a query or a fragment'],
    ['redis://h/12345', 'must end with a database number, or none'],
    ['redis://u:s3cret%@h', 'not URL-encoded; write % as %25'],
  ])('%s', (url, reason) => {
    const fault = 'fault' in parseRedisUrl(url) ? JSON.stringify(parseRedisUrl(url)) : 'was accepted';
    expect(fault).toContain(reason);
    expect(fault).not.toContain('s3cret');
  });
});

test.each([
  ['redis://u:p@h:1/2', 'h:1'],
  ['redis://[::1]', '[::1]:6379'],
  ['redis+sentinel://u:p@a,b/main', 'main of the Sentinels a:26379,b:26379'],
  ['redis+cluster://u:p@a,b,c', 'the Cluster a:6379,b:6379,c:6379'],
  ['redis+cluster://u:p@a,b,c,d', 'the Cluster a:6379,b:6379,c:6379,…'],
])('messages call %s %s', (url, label) => {
  const address = parseRedisUrl(url);
  expect('fault' in address ? address.fault : redisLabel(address)).toBe(label);
});

describe('settings beside the address', () => {
  const faultsOf = (redis: object, fileName?: string): string => {
    try {
      resolveConfig({ redis }, [], fileName);
    } catch (error) {
      return (error as Error).message;
    }
    return 'none';
  };
  const tls = { caFile: 'ca.pem' };

  test.each([
    [{ url: 'redis://u@h', password: 'p' }, 'none'],
    [{ url: 'redis://:q@h', password: 'p' }, 'redis.password: the URL holds a password too; keep one of them'],
    [{ url: 'redis+sentinel://h/n', sentinelPassword: 'p' }, 'none'],
    [{ url: 'redis://h', sentinelPassword: 'p' }, 'redis.sentinelPassword: is for a redis+sentinel:// URL'],
    [{ url: 'rediss+cluster://h', tls }, 'none'],
    [{ url: 'redis+cluster://h', tls }, 'redis.tls: needs a URL that begins with rediss'],
    [{ url: 'rediss://h', tls: { certFile: 'c' } }, 'redis.tls: certFile and keyFile are given together'],
    [{ url: 'rediss://h', tls: { ca: 'c' } }, 'redis.tls: has no setting ca; allowed are caFile, certFile, keyFile'],
    [{ url: 'rediss://h', tls: { keyFile: 'k' } }, 'redis.tls: certFile and keyFile are given together'],
    [{ url: 'rediss://h', tls: { certFile: 'c', keyFile: 'k' } }, 'none'],
    [{ url: 'http://h', tls }, '1 wrong value(s) in the configuration:\n  redis.url: must be a redis://'],
    [{ sentinels: [] }, 'redis: has no setting sentinels; allowed are url, password, sentinelPassword, tls'],
  ])('%j: %s', (redis, told) => expect(faultsOf(redis)).toContain(told));

  test.each([
    [{ url: 'redis+cluster://u:s3cret@a,b' }, 'redis.url: must not hold a password in a file'],
    [{ url: 'reddis://u:s3cret@a' }, 'redis.url: must not hold a password in a file'],
    [{ password: 's3cret' }, 'redis.password: must not stand in a file; give it in REDIS_PASSWORD'],
    [
      { password: 's3cret' },
      '1 wrong value(s) in the configuration:\n  redis.password: must not stand in a file; give it in REDIS_PASSWORD or REDIS_PASSWORD_FILE',
    ],
    [
      { sentinelPassword: 's3cret' },
      'redis.sentinelPassword: must not stand in a file; give it in REDIS_SENTINEL_PASSWORD or REDIS_SENTINEL_PASSWORD_FILE',
    ],
    [{ url: 'reddis://user:s3cret@a/b@c' }, 'redis.url: must not hold a password in a file'],
  ])('a file must not hold a password, which is not repeated: %j', (redis, told) => {
    expect(faultsOf(redis, 'waybill.config.json')).toContain(told);
    expect(faultsOf(redis, 'waybill.config.json')).not.toContain('s3cret');
  });

  test.each([
    [{ url: 'redis://u@h' }, 'none'],
    [{ url: 'reddis://h' }, 'must be a redis://'],
    [{ url: 7 }, 'redis.url: expected string'],
    [{ url: ['redis://u:s3cret@h'] }, 'redis.url: expected string'],
    [undefined, 'none'],
    [7, 'redis: expected object'],
    [{}, 'none'],
  ])('what a file may hold is no fault of passwords: %j', (redis, told) => {
    const faults = faultsOf(redis as object, 'waybill.config.json');
    expect(faults).toContain(told);
    expect(faults).not.toContain('password');
  });
});

test('a text is no address, and tells only why', () =>
  expect(parseRedisUrl('redis://h/x')).toStrictEqual({ fault: 'must end with a database number, or none' }));

test('an address has no user and no password that it does not name', () =>
  expect(parseRedisUrl('redis://h')).toStrictEqual({
    kind: 'single',
    tls: false,
    hosts: [{ host: 'h', port: 6379 }],
    name: '',
    database: 0,
  }));
