// Liveness is consumption: a worker that sits connected and fetches nothing mends itself.
import { expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { connect, disconnect, WORKER_OPTIONS } from '../../queue/connection.ts';
import type { Consumer } from '../../queue/consumer.ts';
import { watchConsumers, type WatchNews } from '../../queue/watch.ts';
import type { RunningWorker } from '../../worker/index.ts';
import { type FaultProxy, startProxy } from '../support/proxy.ts';
import { FETCH_WITHIN_MS, livez, redisAt, splitClient, startHealthy, wedge } from '../support/wedge.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const RENEWED = 'fetched nothing for too long; its consumer is started afresh';

async function startSplit(world: World): Promise<{ worker: RunningWorker; proxy: FaultProxy }> {
  const proxy = await startProxy(redisAt());
  const client = splitClient(proxy);
  const worker = await startHealthy(world, { connection: client });
  onTestFinished(async () => {
    client.disconnect();
    await proxy.close();
  });
  await eventually(async () => expect(await livez(worker)).toMatchObject({ status: 200 }));
  return { worker, proxy };
}

const renewals = (world: World): number => world.log.filter(({ msg }) => msg === RENEWED).length;

test('a consumer that is connected and fetches nothing is started afresh, and takes writes again', async () => {
  const world = await createWorld();
  const { worker, proxy } = await startSplit(world);
  await wedge(proxy);
  const { data } = await world.queue.add('send', planned('503'));
  await world.until(data.idempotencyKey, 'delivered');
  await assertAppliedOnce(world.sandbox, data.idempotencyKey);
  expect(world.sandbox.entry(data.idempotencyKey)?.sends).toHaveLength(2);
  expect(world.log.find(({ msg }) => msg === RENEWED)).toMatchObject({
    level: 40,
    destination: world.name,
    idle_ms: expect.any(Number) as number,
  });
  await eventually(async () => expect(await livez(worker)).toEqual({ status: 200, state: 'consuming' }));
  await eventually(() => expect(world.log.some(({ msg }) => msg === 'fetches again')).toBe(true));
  // The old one is gone with its connection.
  await eventually(async () => expect(await world.queue.getWorkersCount()).toBe(1), 20_000);
});

test('writes in flight at a consumer that is started afresh are settled, and sent once', async () => {
  // Their locks last for a fraction of it: they are renewed until the writes are settled.
  const world = await createWorld({
    destination: { timeoutMs: 20_000 },
    worker: { lockMs: 1500, stalledIntervalMs: 500 },
  });
  const { proxy } = await startSplit(world);
  const slow = await world.queue.add('send', planned('slow:7000'));
  await eventually(() => expect(world.sandbox.entry(slow.data.idempotencyKey)?.sends).toHaveLength(1));
  await wedge(proxy);
  await eventually(() => expect(renewals(world)).toBeGreaterThan(0));
  const next = await world.queue.add('send', planned());
  const meanwhile = await world.until(next.data.idempotencyKey, 'delivered');
  const found = await world.until(slow.data.idempotencyKey, 'delivered');
  expect(found).toMatchObject({ delivery: { attempts: 1 }, journal: { lost: 0 } });
  expect(meanwhile.delivery?.deliveredAt).toBeLessThan(found.delivery?.deliveredAt ?? 0);
  expect(world.sandbox.entry(slow.data.idempotencyKey)?.sends).toHaveLength(1);
});

test('stopping does not wait for a consumer that does not come round', async () => {
  const world = await createWorld();
  const { worker, proxy } = await startSplit(world);
  await wedge(proxy);
  expect(await worker.stop()).toEqual({ forced: false });
});

test('the shared connection, when it is open and answers nothing, is opened anew; the worker stays live', async () => {
  const proxy = await startProxy(redisAt());
  onTestFinished(() => proxy.close());
  const world = await createWorld({ workerRedisUrl: proxy.url('redis') });
  const worker = await startHealthy(world);
  const first = await world.queue.add('send', planned());
  await world.until(first.data.idempotencyKey, 'delivered');
  proxy.freezeSockets();
  const { data } = await world.queue.add('send', planned());
  await world.until(data.idempotencyKey, 'delivered', 20_000);
  await assertAppliedOnce(world.sandbox, data.idempotencyKey);
  expect(world.log.some(({ msg }) => msg.startsWith('Redis gave no answer on an open connection'))).toBe(true);
  expect(await livez(worker)).toEqual({ status: 200, state: 'consuming' });
});

test('a look that is under way when the watch is stopped says and does nothing more', async () => {
  const proxy = await startProxy(redisAt());
  onTestFinished(() => proxy.close());
  const connection = connect(proxy.url('redis'), WORKER_OPTIONS);
  onTestFinished(() => disconnect(connection));
  await eventually(() => expect(connection.client.status).toBe('ready'));
  // Overdue from the start: the first look asks Redis, which does not answer.
  const consumer: Consumer = {
    destination: 'nobody',
    inFlight: 0,
    turnedAt: -Infinity,
    turnsWithinMs: 0,
    hasRoom: true,
    renew: () => {},
    close: async () => {},
    told: async () => {},
    drop: () => {},
  };
  let asked = 0;
  proxy.onRequest((bytes) => (asked += Number(/exists/i.test(bytes.toString()))));
  proxy.pauseReplies();
  const news: WatchNews[] = [];
  const tell = (one: WatchNews): void => void news.push(one);
  const watch = watchConsumers({ connection, consumers: [consumer], fetchWithinMs: FETCH_WITHIN_MS, tell });
  await eventually(() => expect(asked).toBe(1));
  watch.stop();
  await new Promise((resolve) => setTimeout(resolve, 1.5 * FETCH_WITHIN_MS));
  expect(news).toEqual([]);
  expect(connection.client.status).toBe('ready');
});
