// Destinations, queues and a worker on a Redis of the test's own, whatever kind it is; and adding to them without a pause
// while that Redis is away.
import { expect, onTestFinished } from 'vitest';
import { assertAppliedOnce, createSandbox, type Sandbox } from '../../dev/testing.ts';
import type { ConfigInput } from '../../core/config.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { createQueue, type WriteQueue } from '../../producer/index.ts';
import { find, type FoundState } from '../../queue/find.ts';
import { Reader } from '../../queue/reader.ts';
import { createWorker, type RunningWorker } from '../../worker/index.ts';
import { API_KEY, eventually, planned } from './world.ts';

/** What is promised, and a margin for a busy machine. */
const ANSWER_LIMIT_MS = 3000;
const PAUSE_MS = 50;
const OUTAGE_LIMIT_MS = 30_000;

export interface RedisWorld {
  readonly sandbox: Sandbox;
  readonly queues: readonly WriteQueue[];
  readonly reader: Reader;
  readonly config: ConfigInput;
  startWorker(redis?: RedisSettings): Promise<RunningWorker>;
  /** Waits until every write stands in that state. */
  until(keys: readonly string[], state: FoundState): Promise<void>;
  /**
   * Adds to every queue, one write after the other, the same write again while it is told QUEUE_UNAVAILABLE (within 2 s,
   * always), until each queue has stored as many as asked for.
   * @returns the keys of all that were stored, and how often somebody was told to come back
   */
  keepAdding(perQueue: number): Promise<{ keys: string[]; refusals: number }>;
  /** Waits until every write is delivered, and asks the API whether each was applied once. */
  untilAppliedOnce(keys: readonly string[]): Promise<void>;
}

export async function createRedisWorld(
  redis: RedisSettings,
  names: readonly string[],
  { latencyMs = 0 }: { latencyMs?: number } = {},
): Promise<RedisWorld> {
  const sandbox = await createSandbox({ apiKey: API_KEY, latencyMs });
  const queues = names.map((name) => createQueue(name, { connection: redis }));
  const reader = await Reader.open(redis);
  const workers: RunningWorker[] = [];
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.stop(AbortSignal.timeout(2000))));
    await Promise.all(queues.map((queue) => queue.close()));
    await reader.close();
    await sandbox.close();
  });
  const destination = {
    baseUrl: sandbox.url,
    auth: { header: 'x-api-key', env: 'API_KEY' },
    retry: { baseMs: 20, capMs: 600 },
  };
  const config: ConfigInput = {
    redis,
    log: { level: 'error' },
    // Longer than a failover: what was answered meanwhile is settled after it.
    worker: { lockMs: 8000, stalledIntervalMs: 1000 },
    destinations: Object.fromEntries(names.map((name) => [name, destination])),
  };
  const until: RedisWorld['until'] = async (keys, state) => {
    for (const key of keys) {
      await eventually(async () => {
        const [found] = await find(reader, key).catch(() => []);
        expect(found?.state).toBe(state);
      }, OUTAGE_LIMIT_MS);
    }
  };
  return {
    sandbox,
    queues,
    reader,
    config,
    until,
    startWorker: async (settings = redis) => {
      const worker = await createWorker(
        { ...config, redis: settings },
        { env: { API_KEY }, logTo: { write: () => {} } },
      );
      workers.push(worker);
      return worker;
    },
    keepAdding: async (perQueue) => {
      const keys: string[] = [];
      let refusals = 0;
      await Promise.all(
        queues.map(async (queue) => {
          const deadline = performance.now() + OUTAGE_LIMIT_MS;
          for (let i = 0; i < perQueue; i += 1) {
            const idempotencyKey = crypto.randomUUID();
            while (!(await stored(queue, idempotencyKey))) {
              refusals += 1;
              expect(performance.now()).toBeLessThan(deadline);
              await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
            }
            keys.push(idempotencyKey);
          }
        }),
      );
      return { keys, refusals };
    },
    untilAppliedOnce: async (keys) => {
      await until(keys, 'delivered');
      for (const key of keys) await assertAppliedOnce(sandbox, key);
    },
  };
}

async function stored(queue: WriteQueue, idempotencyKey: string): Promise<boolean> {
  const startedAt = performance.now();
  try {
    await queue.add('send', planned(), { idempotencyKey });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    return false;
  } finally {
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_LIMIT_MS);
  }
}
