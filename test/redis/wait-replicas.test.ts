// Producers that wait for replicas, on a Cluster and behind Sentinels: the wait goes where the write went, and what was
// answered outlives its primary.
import { expect, onTestFinished, test } from 'vitest';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { createQueue, type WriteQueue } from '../../producer/index.ts';
import { prefixOf } from '../../queue/keys.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { PRIMARY_NAME, SENTINEL_PASSWORD, startSentinels } from '../support/redis-sentinel.ts';
import { freshDestination } from '../support/redis.ts';
import { eventually, planned } from '../support/world.ts';

/** An outage may last on a busy machine. */
const LIMIT_MS = 90_000;
const TAKEOVER_LIMIT_MS = 40_000;
const BEFORE_THE_KILL = 200;

function queueOn(redis: RedisSettings, name = freshDestination()): WriteQueue {
  const queue = createQueue(name, { connection: redis });
  onTestFinished(() => queue.close());
  return queue;
}

/** Adds, eight at once, kills the primary in the middle of it, and stops when that shows. @returns the keys that were answered */
async function addOver(queue: WriteQueue, kill: () => void): Promise<string[]> {
  const answered: string[] = [];
  const untilRefused = async (): Promise<void> => {
    for (;;) {
      const job = await queue.add('send', planned()).catch((error: { code?: string }) => {
        expect(['QUEUE_UNAVAILABLE', 'NOT_REPLICATED']).toContain(error.code);
      });
      if (!job) return;
      answered.push(job.data.idempotencyKey);
      if (answered.length === BEFORE_THE_KILL) kill();
    }
  };
  await Promise.all(Array.from({ length: 8 }, untilRefused));
  return answered;
}

/** Once there is a primary again, adding them finds them there; by a producer that waits for nobody. */
async function expectAllThere(queue: WriteQueue, keys: readonly string[]): Promise<void> {
  expect(keys.length).toBeGreaterThanOrEqual(BEFORE_THE_KILL);
  for (const idempotencyKey of keys) {
    const add = () => queue.add('send', planned(), { idempotencyKey });
    const { duplicate } = await eventually(add, TAKEOVER_LIMIT_MS);
    expect(duplicate).toBe(true);
  }
}

test(
  'on a Cluster the primary of the destination is asked, also after its slot has moved; what was answered outlives it',
  { timeout: LIMIT_MS },
  async () => {
    // The first two have a replica each, the third has none.
    const cluster = await startCluster({ primaries: 3, replicas: 2 });
    onTestFinished(() => cluster.stop());
    const redis = { url: `redis+cluster://${cluster.hosts}` };
    const names: string[] = [];
    while (names.filter(Boolean).length < 3) {
      const name = freshDestination();
      names[await cluster.primaryOf(prefixOf(name))] ??= name;
    }
    const [first = '', , third = ''] = names;
    const waiting = { ...redis, waitForReplicas: { count: 1, timeoutMs: 2000 } };
    const queue = queueOn(waiting, first);
    const job = await queue.add('send', planned());
    const copy = cluster.replicas[0]!.admin;
    await copy.readonly();
    expect(await copy.exists(`${prefixOf(first)}:${first}:${job.id}`)).toBe(1);
    const alone = queueOn({ ...redis, waitForReplicas: { count: 1, timeoutMs: 200 } }, third);
    await expect(alone.add('send', planned())).rejects.toMatchObject({ code: 'NOT_REPLICATED' });

    await cluster.moveSlot(prefixOf(first), 1);
    const items = Array.from({ length: 50 }, () => ({ name: 'send' as const, data: planned() }));
    expect((await queue.addBulk(items)).map(({ status }) => status)).toEqual(items.map(() => 'queued'));
    const { idempotencyKey } = job.data;
    expect(await queue.add('send', planned(), { idempotencyKey })).toMatchObject({ duplicate: true });

    const keys = await addOver(queue, () => cluster.primaries[1]?.kill());
    const plain = queueOn(redis, first);
    await expectAllThere(plain, keys);
    // The new primary has no replica.
    await expect(queue.add('send', planned(), { idempotencyKey })).rejects.toMatchObject({ code: 'NOT_REPLICATED' });
  },
);

test('behind Sentinels what was answered outlives its primary: not one is lost', { timeout: LIMIT_MS }, async () => {
  const setup = await startSentinels();
  onTestFinished(() => setup.stop());
  const url = `redis+sentinel://${setup.sentinels}/${PRIMARY_NAME}`;
  const redis = { url, sentinelPassword: SENTINEL_PASSWORD };
  const queue = queueOn({ ...redis, waitForReplicas: { count: 1, timeoutMs: 2000 } });
  const keys = await addOver(queue, () => setup.primary.kill());
  await expectAllThere(queueOn(redis, queue.name), keys);
});
