// What an application may give as `connection`, and what is said of what it may not.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { parseRedisUrl } from '../../core/redis-url.ts';
import { type ConnectionInput, createQueue } from '../../producer/index.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { planned } from '../support/world.ts';

const address = parseRedisUrl(redisUrl());
if ('fault' in address) throw new Error(address.fault);
const { hosts, username, password, database: db } = address;
const options = { ...hosts[0], db, ...(username && { username }), ...(password && { password }) };

test.each<[string, () => ConnectionInput]>([
  ['a URL', redisUrl],
  ['settings', () => ({ url: redisUrl() })],
  ['ioredis options', () => options],
  [
    'a client, which stays the caller’s to close',
    () => {
      const client = new Redis(options);
      onTestFinished(() => client.disconnect());
      return client;
    },
  ],
])('a queue takes %s', async (_what, connection) => {
  const name = freshDestination();
  const queue = createQueue(name, { connection: connection() });
  onTestFinished(async () => {
    await queue.close();
    await cleanUp([name]);
  });
  expect(await queue.add('send', planned())).toMatchObject({ duplicate: false });
});

test.each<[ConnectionInput, string]>([
  ['redis+cluster://', 'connection: must name its hosts as host or host:port'],
  [{ url: 'redis://h', password: 'p', tls: {} }, 'redis.tls: needs a URL that begins with rediss'],
  [{ url: 'rediss://h', tls: { ca: 'x' } }, 'redis.tls: has no setting ca; allowed are caFile'],
  [{ url: 'redis://h', db: 1 }, 'redis: has no setting db; allowed are url, password, sentinelPassword, tls'],
])('%j is refused at once', (connection, told) => expect(() => createQueue('sms', { connection })).toThrow(told));
