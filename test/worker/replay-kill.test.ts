// Replay against workers: those that are killed in the middle of it, and those that come back with an answer of before.
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { audit } from '../../queue/acts.ts';
import { countLetters } from '../../queue/dead-letters.ts';
import { replay } from '../../queue/operate.ts';
import { spawnNode } from '../support/processes.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

const REPLAYING = fileURLToPath(new URL('../support/replaying-child.ts', import.meta.url));
const WRITES = 60;

test('every dead letter is replayed once, and every write applied once, however often operators and workers are killed', async () => {
  const world = await createWorld({ worker: { lockMs: 1000, stalledIntervalMs: 500, maxCrashes: 50 } });
  const first = await world.startWorker();
  const answers = await world.queue.addBulk(
    Array.from({ length: WRITES }, () => ({ name: 'send' as const, data: planned('401', 'reset-after', 'ok') })),
  );
  await eventually(async () => expect((await countLetters(world.reader, world.name)).count).toBe(WRITES), 60_000);
  await first.stop();

  for (const killedAfter of [5, 20, 0]) {
    const worker = await world.spawnWorker();
    const operator = spawnNode(REPLAYING, {
      env: { REDIS: redisUrl(), DESTINATION: world.name, BY: `operator ${killedAfter}` },
    });
    await eventually(() => expect(operator.lines.length).toBeGreaterThanOrEqual(killedAfter));
    if (killedAfter === 0) break;
    operator.kill('SIGKILL');
    worker.kill('SIGKILL');
    await Promise.all([operator.exited, worker.exited]);
  }
  for (const answer of answers) {
    if (!('job' in answer)) throw answer.error;
    const key = answer.job.data.idempotencyKey;
    expect(await world.until(key, 'delivered', 30_000)).toMatchObject({ verdict: 'applied-once' });
    await assertAppliedOnce(world.sandbox, key);
  }
  expect((await countLetters(world.reader, world.name)).count).toBe(0);
  const acts = await Array.fromAsync(audit(world.reader, world.name));
  expect(acts).toHaveLength(WRITES);
}, 150_000);

test('a worker that comes back after a replay, with the answer of the generation before, settles nothing', async () => {
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  onTestFinished(() => proxy.close());
  const world = await createWorld({
    workerRedisUrl: proxy.url('redis'),
    destination: { timeoutMs: 10_000 },
    worker: { lockMs: 1000, stalledIntervalMs: 300 },
  });
  const cutOff = await world.startWorker();
  // It holds the answer for 4 s, while the network to Redis is gone and another worker has the write.
  const job = await world.queue.add('send', planned('slow:4000', '401', 'ok'));
  await eventually(() => expect(world.sandbox.entry(job.data.idempotencyKey)?.sends).toHaveLength(1));
  proxy.blackhole();
  const other = await world.startWorker({}, { connection: redisUrl() });
  const { letter } = await world.until(job.data.idempotencyKey, 'dead');
  expect(letter?.verdict).toBe('in-doubt');
  await other.stop();
  await replay(world.reader, world.name, letter?.id ?? '', { by: 'ann', reason: 'a test' });
  await eventually(() => expect(world.log.some(({ msg }) => msg === 'delivered')).toBe(true));
  await proxy.restore();
  // The answer that it brings is refused; the replayed write is sent under its key, and the API knows that key.
  const found = await world.until(job.data.idempotencyKey, 'delivered');
  expect(found).toMatchObject({ verdict: 'applied-once', journal: { generation: 1 } });
  await assertAppliedOnce(world.sandbox, job.data.idempotencyKey);
  await cutOff.stop();
});
