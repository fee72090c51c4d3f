// The health of a worker on Redis Cluster, where one primary may be away alone.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createWorker } from '../../worker/index.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { API_KEY, eventually } from '../support/world.ts';

/** The driver takes a moment to find a node again. */
const FETCH_WITHIN_MS = 2000;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
});
afterAll(() => cluster.stop());

test('a primary that stands still makes nobody unlive, and its destinations go on when it does', async () => {
  const names: string[] = [];
  while (names.length < 3) {
    const name = freshDestination();
    if ((await cluster.primaryOf(`{waybill:${name}}`)) === names.length) names.push(name);
  }
  const world = await createRedisWorld({ url: `redis+cluster://${cluster.hosts}` }, names);
  const worker = await createWorker(
    { ...world.config, health: { port: 0, fetchWithinMs: FETCH_WITHIN_MS } },
    { env: { API_KEY }, logTo: { write: () => {} } },
  );
  onTestFinished(async () => void (await worker.stop(AbortSignal.timeout(2000))));
  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${worker.healthPort}${path}`);
  await eventually(async () => expect((await ask('/readyz')).status).toBe(200));
  for (const name of names) {
    expect(await (await ask('/metrics')).text()).toContain(
      `waybill_queue_depth{destination="${name}",state="waiting"} 0\n`,
    );
  }

  const frozen = cluster.primaries[1]?.pid ?? 0;
  process.kill(frozen, 'SIGSTOP');
  onTestFinished(() => void process.kill(frozen, 'SIGCONT'));
  const until = Date.now() + 3 * FETCH_WITHIN_MS;
  while (Date.now() < until) {
    const answer = await ask('/livez');
    expect(answer.status, await answer.text()).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  process.kill(frozen, 'SIGCONT');
  const { keys } = await world.keepAdding(2);
  await world.untilAppliedOnce(keys);
});
