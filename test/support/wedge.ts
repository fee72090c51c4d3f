// A consumer that sits connected and fetches nothing, made for real: by a network that forgets connections.
import { Redis, type RedisOptions } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { createWorker, type RunningWorker, type WorkerOptions } from '../../worker/index.ts';
import type { FaultProxy } from './proxy.ts';
import { redisUrl } from './redis.ts';
import { API_KEY, eventually, type World } from './world.ts';

/** The shortest that a configuration may ask for. */
export const FETCH_WITHIN_MS = 1000;

export const redisAt = (): { host: string; port: number } => ({
  host: '127.0.0.1',
  port: Number(new URL(redisUrl()).port),
});

/** A client whose duplicates alone, the blocking connections, go through the proxy. */
export function splitClient(proxy: FaultProxy): Redis {
  class Split extends Redis {
    override duplicate(given?: RedisOptions): Redis {
      return super.duplicate({ ...given, port: proxy.port });
    }
  }
  return new Split(redisUrl(), { maxRetriesPerRequest: null });
}

/** The network forgets the blocking connection, and the next one while it shakes hands: BullMQ waits for that for ever. */
export async function wedge(proxy: FaultProxy): Promise<void> {
  let requests = 0;
  const stop = proxy.onRequest((bytes) => (requests += Number(/bzpopmin/i.test(bytes.toString()))));
  await eventually(() => expect(requests).toBeGreaterThan(0));
  stop();
  const before = proxy.opened();
  proxy.blackhole();
  await eventually(() => expect(proxy.opened()).toBeGreaterThan(before));
  proxy.freezeSockets();
  await proxy.restore();
}

/** What a worker's health port says of its only destination. */
export async function livez(worker: { healthPort?: number }): Promise<{ status: number; state: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/livez`);
  const { destinations } = (await answer.json()) as { destinations: Record<string, { state: string }> };
  return { status: answer.status, state: Object.values(destinations)[0]?.state };
}

/** A worker with a health port, whose log is the world's. */
export async function startHealthy(world: World, options: WorkerOptions = {}): Promise<RunningWorker> {
  const worker = await createWorker(
    { ...world.config, health: { port: 0, fetchWithinMs: FETCH_WITHIN_MS } },
    { env: { API_KEY }, logTo: { write: (line) => void world.log.push(JSON.parse(line)) }, ...options },
  );
  onTestFinished(async () => void (await worker.stop(AbortSignal.timeout(2000))));
  return worker;
}
