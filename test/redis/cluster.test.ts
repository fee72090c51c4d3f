// Redis Cluster as people run it: three primaries, destinations on each of them, a node that dies, a slot that moves.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect, disconnect, WORKER_OPTIONS } from '../../queue/connection.ts';
import { status } from '../../queue/status.ts';
import { documents, runCli } from '../cli/run-cli.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { eventually, planned } from '../support/world.ts';

/** An outage may last on a busy machine. */
const LIMIT_MS = 90_000;

let cluster: RedisCluster;
let redis: { url: string };
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3, replicas: 1 });
  redis = { url: `redis+cluster://${cluster.hosts}` };
});
afterAll(() => cluster.stop());

const prefixOf = (destination: string): string => `{waybill:${destination}}`;

/** Destinations whose keys lie on the first, the second, … primary. */
async function onEveryPrimary(each = 1): Promise<string[]> {
  const found = cluster.primaries.map((): string[] => []);
  while (found.some((names) => names.length < each)) {
    const name = freshDestination();
    const names = found[await cluster.primaryOf(prefixOf(name))];
    if (names && names.length < each) names.push(name);
  }
  return found.flat();
}

test('writes of destinations on every primary go the whole path', async () => {
  const names = await onEveryPrimary(2);
  const world = await createRedisWorld(redis, names);
  const keys: Record<'delivered' | 'dead', string[]> = { delivered: [], dead: [] };
  for (const queue of world.queues) {
    const [retried, rejected, later] = await Promise.all([
      queue.add('send', planned('503', 'ok')),
      queue.add('send', planned('422')),
      queue.add('send', planned(), { delay: 50, priority: 3 }),
    ]);
    expect(await queue.add('send', planned('422'), { idempotencyKey: rejected.data.idempotencyKey })).toMatchObject({
      duplicate: true,
    });
    const items = Array.from({ length: 250 }, (_, i) => ({
      name: 'send' as const,
      data: planned(),
      opts: { idempotencyKey: i < 249 ? `${queue.name}-${i}` : rejected.data.idempotencyKey },
    }));
    const answers = await queue.addBulk(items);
    expect(answers.map((answer) => answer.status)).toEqual([
      ...Array.from({ length: 249 }, () => 'queued'),
      'conflict',
    ]);
    keys.delivered.push(retried.data.idempotencyKey, later.data.idempotencyKey, `${queue.name}-248`);
    keys.dead.push(rejected.data.idempotencyKey);
  }
  await world.startWorker();
  await world.untilAppliedOnce(keys.delivered);
  await world.until(keys.dead, 'dead');
  await eventually(async () =>
    expect(await status(world.reader)).toMatchObject(
      names.toSorted().map((destination) => ({ destination, workers: 1, waiting: 0, delivered: 251, dead: 1 })),
    ),
  );
  // Nothing is left where it does not belong, and every node has its share.
  for (const [i, { admin }] of cluster.primaries.entries()) {
    const here = names.slice(i * 2, i * 2 + 2);
    const strays = (await admin.keys('*')).filter((key) => !here.some((name) => key.startsWith(`${prefixOf(name)}:`)));
    expect(strays.filter((key) => key !== 'waybill:destinations')).toEqual([]);
    expect(await admin.dbsize()).toBeGreaterThan(500);
  }
});

test('the command line takes the Cluster from REDIS_URL', async () => {
  const name = freshDestination();
  const env = { REDIS_URL: redis.url };
  const input = '{"method":"POST","path":"/v1/profiles","body":{}}\n';
  const added = await runCli(['enqueue', name, '-o', 'ndjson'], { env, input });
  expect(documents(added.stdout)).toMatchObject([{ status: 'queued' }]);
  const told = await runCli(['status', '-o', 'ndjson'], { env });
  expect(documents(told.stdout)).toContainEqual(expect.objectContaining({ destination: name, waiting: 1 }));
});

test(
  'a slot moves to another primary: its writes wait or are told to come back, and none is lost',
  { timeout: LIMIT_MS },
  async () => {
    const [name = ''] = await onEveryPrimary();
    const world = await createRedisWorld(redis, [name], { latencyMs: 20 });
    const before = await world.keepAdding(60);
    await world.startWorker();
    const [moved, during] = await Promise.all([cluster.moveSlot(prefixOf(name), 2), world.keepAdding(40)]);
    expect(moved).toBeGreaterThan(60);
    const after = await world.keepAdding(5);
    await world.untilAppliedOnce([...before.keys, ...during.keys, ...after.keys]);
    expect(await cluster.primaries[2]?.admin.keys(`${prefixOf(name)}:*`)).not.toEqual([]);
  },
);

test(
  'a primary is killed: its replica takes over, and producers and workers of every destination go on',
  { timeout: LIMIT_MS },
  async () => {
    const names = await onEveryPrimary();
    const world = await createRedisWorld(redis, names, { latencyMs: 300 });
    await world.startWorker();
    const before = await world.keepAdding(20);
    // Replication is asynchronous: what has not reached the replica is lost with its primary.
    expect(await cluster.primaries[0]?.admin.wait(1, 5000)).toBe(1);
    const connection = connect(redis, WORKER_OPTIONS);
    onTestFinished(() => disconnect(connection));
    await eventually(() => expect(connection.client.status).toBe('ready'));
    cluster.primaries[0]?.kill();
    // What a worker asks meanwhile waits for its answer: a settling that gave up would be a write that is sent again.
    const waiting = connection.client.exists(`${prefixOf(names[0] ?? '')}:nothing`);
    const during = await world.keepAdding(40);
    expect(during.refusals).toBeGreaterThan(0);
    expect(await waiting).toBe(0);
    await world.untilAppliedOnce([...before.keys, ...during.keys]);
  },
);
