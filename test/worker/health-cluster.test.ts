// The health of a worker on Redis Cluster, where one primary may be away alone.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createWorker } from '../../worker/index.ts';
import { watchCommands } from '../support/monitor.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { API_KEY, eventually } from '../support/world.ts';

/** The driver takes a moment to find a node again. */
const FETCH_WITHIN_MS = 1500;
/** Two looks at what is overdue, each of which waits for an answer: nobody is condemned by the first. */
const FROZEN_MS = 4 * FETCH_WITHIN_MS;

/**
 * Destinations of the primary that stands still. A question without a key goes to any primary: of so many, asked about
 * in one look, some would be seen at another one.
 */
const ON_FROZEN = 12;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
});
afterAll(() => cluster.stop());

test('a primary that stands still makes nobody unlive, and its destinations go on when it does', async () => {
  const wanted = [1, ON_FROZEN, 1];
  const names: string[] = [];
  while (wanted.some((left) => left > 0)) {
    const name = freshDestination();
    const primary = await cluster.primaryOf(`{waybill:${name}}`);
    if (!wanted[primary]) continue;
    wanted[primary] -= 1;
    names.push(name);
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

  let askedWithoutKey = 0;
  for (const { url } of [cluster.primaries[0], cluster.primaries[2]].filter((primary) => primary !== undefined)) {
    await watchCommands(url, (command) => (askedWithoutKey += Number(command === 'ping')));
  }
  const frozen = cluster.primaries[1]?.pid ?? 0;
  process.kill(frozen, 'SIGSTOP');
  onTestFinished(() => void process.kill(frozen, 'SIGCONT'));
  const until = Date.now() + FROZEN_MS;
  while (Date.now() < until) {
    const answer = await ask('/livez');
    expect(answer.status, await answer.text()).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // What another primary answers says nothing of this one.
  expect(askedWithoutKey).toBe(0);
  process.kill(frozen, 'SIGCONT');
  const { keys } = await world.keepAdding(2);
  await world.untilAppliedOnce(keys);
});
