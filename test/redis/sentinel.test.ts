// Sentinel as people run it: three of them, a primary that dies, its replica in its place.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createQueue } from '../../producer/index.ts';
import { PRIMARY_NAME, SENTINEL_PASSWORD, type SentinelSetup, startSentinels } from '../support/redis-sentinel.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { planned } from '../support/world.ts';

/** An outage may last on a busy machine. */
const LIMIT_MS = 90_000;

const PASSWORD = 'password-of-the-application';
let setup: SentinelSetup;
let redis: { url: string; password: string; sentinelPassword: string };
beforeAll(async () => {
  setup = await startSentinels();
  for (const { url } of [setup.primary, setup.replica]) {
    const admin = new Redis(url);
    await admin.acl('SETUSER', 'application', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
    admin.disconnect();
  }
  redis = {
    // The first of them is away.
    url: `redis+sentinel://application@127.0.0.1:1,${setup.sentinels}/${PRIMARY_NAME}`,
    password: PASSWORD,
    sentinelPassword: SENTINEL_PASSWORD,
  };
});
afterAll(() => setup.stop());

test.each([
  ['a name that the Sentinels do not know', { url: 'x' }, 'QUEUE_UNAVAILABLE', 'No such master with that name'],
  ['a wrong password of the Sentinels', { sentinelPassword: 'wrong' }, 'QUEUE_REFUSED', 'REDIS_SENTINEL_PASSWORD'],
  ['a wrong password', { password: 'wrong' }, 'QUEUE_REFUSED', 'REDIS_PASSWORD'],
])('%s is told within 2 s, and no password with it', async (_what, wrong, code, told) => {
  const given = { ...redis, ...wrong, url: `${redis.url}${'url' in wrong ? wrong.url : ''}` };
  const queue = createQueue(freshDestination(), { connection: given });
  onTestFinished(() => queue.close());
  const error = (await queue.add('send', planned()).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(told);
  expect(error.message).not.toMatch(/wrong|password-of/);
});

test(
  'the primary is killed: the Sentinels name another, and producers and workers go on with it',
  { timeout: LIMIT_MS },
  async () => {
    const world = await createRedisWorld(redis, [freshDestination(), freshDestination()], { latencyMs: 300 });
    await world.startWorker();
    const dead = await world.queues[0]?.add('send', planned('422'));
    const before = await world.keepAdding(20);
    const admin = new Redis(setup.primary.url);
    onTestFinished(() => admin.disconnect());
    admin.on('error', () => {});
    // Replication is asynchronous: what has not reached the replica is lost with its primary.
    expect(await admin.wait(1, 5000)).toBe(1);
    setup.primary.kill();
    const during = await world.keepAdding(40);
    expect(during.refusals).toBeGreaterThan(0);
    await world.untilAppliedOnce([...before.keys, ...during.keys]);
    await world.until([dead?.data.idempotencyKey ?? ''], 'dead');
  },
);
