// Who is live and who is not, seen from outside: busy and paused workers are; those that consume nothing are not.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { connect, WORKER_OPTIONS } from '../../queue/connection.ts';
import { consume } from '../../queue/consumer.ts';
import { startHealth } from '../../worker/health.ts';
import { createLog } from '../../worker/log.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { FETCH_WITHIN_MS, livez, redisAt, splitClient, startHealthy, wedge } from '../support/wedge.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const RENEWED = 'fetched nothing for too long; its consumer is started afresh';
const renewals = (world: World): number => world.log.filter(({ msg }) => msg === RENEWED).length;

test('a paused queue, one that waits for a scheduled write, and one whose every slot is busy are consumed as far as can be', async () => {
  const paused = await createWorld();
  const scheduled = await createWorld();
  const busy = await createWorld({ destination: { concurrency: 1, timeoutMs: 10_000 } });
  const workers = [await startHealthy(paused), await startHealthy(scheduled), await startHealthy(busy)];
  await paused.queue.pause();
  await scheduled.queue.add('send', planned(), { delay: 3_600_000 });
  const jobs = [await busy.queue.add('send', planned('slow:3500')), await busy.queue.add('send', planned())];
  const until = Date.now() + 2500;
  while (Date.now() < until) {
    for (const worker of workers) expect(await livez(worker)).toEqual({ status: 200, state: 'consuming' });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  for (const { data } of jobs) await busy.until(data.idempotencyKey, 'delivered');
  expect([paused, scheduled, busy].map(renewals)).toEqual([0, 0, 0]);
});

/** Below createWorker: a consumer whose writes end when the test says so. */
async function consumeByHand(world: World, client: Redis) {
  const connection = connect(client, WORKER_OPTIONS);
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const consumer = consume({
    clock: { agrees: () => true, aheadMs: async () => 0, stop: () => {} },
    destination: world.name,
    client,
    workerName: 'test',
    concurrency: 1,
    maxAttempts: 5,
    lockMs: 1000,
    stalledIntervalMs: 1000,
    timeoutMs: 100,
    fetchWithinMs: FETCH_WITHIN_MS,
    retention: {
      deliveredMs: 60_000,
      deadMs: 60_000,
      deadMax: 10,
      handledMs: 60_000,
      auditMs: 60_000,
      keyTtlMs: 60_000,
    },
    retentionIntervalMs: 60_000,
    handle: async ({ journal }) => {
      await released;
      return { disposition: { kind: 'dead', reason: 'invalid', because: 'a test' }, journal, lost: 0 };
    },
    onError: () => {},
    onFiled: () => {},
    onTrimmed: () => {},
  });
  const health = await startHealth({
    config: { host: '127.0.0.1', port: 0, fetchWithinMs: FETCH_WITHIN_MS },
    destinations: [world.name],
    log: createLog('info', {}, { write: (line: string) => void world.log.push(JSON.parse(line)) }),
  });
  onTestFinished(async () => {
    release();
    health.stopping();
    await health.close();
    await consumer.close();
    client.disconnect();
  });
  return { consumer, connection, health, release, asked: { healthPort: health.port ?? 0 } };
}

test('a worker whose every slot holds a write that should have ended is not live, and says so once', async () => {
  const world = await createWorld();
  const client = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const { consumer, connection, health, release, asked } = await consumeByHand(world, client);
  health.started(connection, [consumer]);
  await world.queue.add('send', planned());
  await eventually(async () => expect(await livez(asked)).toEqual({ status: 503, state: 'stuck' }));
  await new Promise((resolve) => setTimeout(resolve, 2 * FETCH_WITHIN_MS));
  expect(world.log.map(({ msg }) => msg)).toEqual([
    'every slot is taken by a write that should have ended; this worker needs a restart',
  ]);
  release();
  await eventually(async () => expect(await livez(asked)).toEqual({ status: 200, state: 'consuming' }));
});

test('while starting a consumer afresh does not help, its worker is not live', async () => {
  const world = await createWorld();
  const proxy = await startProxy(redisAt());
  onTestFinished(() => proxy.close());
  const { consumer, connection, health, asked } = await consumeByHand(world, splitClient(proxy));
  // It is wedged for real; only the remedy is taken away.
  const numb = Object.create(consumer, { renew: { value: () => {} } }) as typeof consumer;
  health.started(connection, [numb]);
  await wedge(proxy);
  await eventually(async () => expect(await livez(asked)).toEqual({ status: 503, state: 'stalled' }));
  await eventually(() => expect(renewals(world)).toBeGreaterThan(1));
  expect(await livez(asked)).toEqual({ status: 503, state: 'stalled' });
  consumer.renew();
  await eventually(async () => expect(await livez(asked)).toEqual({ status: 200, state: 'consuming' }));
});
