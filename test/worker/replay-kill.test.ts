// kill -9 of an operator, and of the workers behind him, in the middle of replaying many dead letters.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { audit } from '../../queue/acts.ts';
import { countLetters } from '../../queue/dead-letters.ts';
import { spawnNode } from '../support/processes.ts';
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
  await eventually(async () => expect(await countLetters(world.reader, world.name)).toBe(WRITES), 20_000);
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
  expect(await countLetters(world.reader, world.name)).toBe(0);
  const acts = await Array.fromAsync(audit(world.reader, world.name));
  expect(acts).toHaveLength(WRITES);
});
