// A destination of its own for one test: a sandbox API, a queue, workers in this process or in their own, all on the
// real Redis, all gone when the test ends.
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../dev/testing.ts';
import { createQueue, type WriteInput, type WriteQueue } from '../../producer/index.ts';
import { find, type Found } from '../../queue/find.ts';
import { Reader } from '../../queue/reader.ts';
import { createWorker, type RunningWorker, type WorkerOptions } from '../../worker/index.ts';
import { type NodeProcess, spawnNode } from './processes.ts';
import { cleanUp, freshDestination, redisUrl } from './redis.ts';

type DestinationInput = NonNullable<ConfigInput['destinations']>[string];

export interface WorldOptions {
  sandbox?: SandboxOptions;
  destination?: Partial<DestinationInput>;
  worker?: ConfigInput['worker'];
  /** In place of the sandbox. */
  baseUrl?: string;
  /** In place of the tests' Redis, for the workers only. */
  workerRedisUrl?: string;
}

export type LogLine = Record<string, unknown> & { msg: string; level: number };

export interface World {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly queue: WriteQueue;
  readonly reader: Reader;
  /** Every line that workers of this process logged. */
  readonly log: LogLine[];
  readonly config: ConfigInput;
  startWorker(changes?: ConfigInput['worker'], options?: WorkerOptions): Promise<RunningWorker>;
  /** A worker in a process of its own, to be killed. */
  spawnWorker(file?: string): Promise<NodeProcess>;
  /** Waits until the write stands in a state. */
  until(key: string, state: Found['state'] | Found['state'][], limitMs?: number): Promise<Found>;
}

export const API_KEY = 'sandbox-key';
export const CHILD = fileURLToPath(new URL('worker-child.ts', import.meta.url));

/** Waits until a check holds; every 10 ms, up to limitMs. */
export const eventually = <T>(check: () => T | Promise<T>, limitMs = 10_000): Promise<T> =>
  vi.waitFor(check, { timeout: limitMs, interval: 10 });

/** A body with a plan for the sandbox: the n-th send of its key takes the n-th step. */
export const planned = (...plan: string[]): WriteInput => ({
  method: 'POST',
  path: '/v1/subscriptions/opt-in',
  body: { phone_number: '+4512345678', sandbox: { plan } },
});

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const name = freshDestination();
  const sandbox = await createSandbox({ apiKey: API_KEY, ...options.sandbox });
  const queue = createQueue(name, { connection: redisUrl() });
  const reader = await Reader.open(redisUrl());
  const workers: RunningWorker[] = [];
  const log: LogLine[] = [];
  const config: ConfigInput = {
    redis: { url: options.workerRedisUrl ?? redisUrl() },
    log: { level: 'info' },
    // Long enough that a busy machine loses no lock; tests of lost ones shorten it.
    worker: { lockMs: 5000, stalledIntervalMs: 1000, ...options.worker },
    destinations: {
      [name]: {
        baseUrl: options.baseUrl ?? sandbox.url,
        auth: { header: 'x-api-key', env: 'API_KEY' },
        timeoutMs: 1500,
        retry: { baseMs: 20, capMs: 600 },
        ...options.destination,
      },
    },
  };
  const logTo = {
    write: (text: string): void => {
      log.push(JSON.parse(text) as LogLine);
    },
  };
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.stop(AbortSignal.timeout(2000))));
    await queue.close();
    await reader.close();
    await sandbox.close();
    await cleanUp([name]);
  });

  return {
    name,
    sandbox,
    queue,
    reader,
    log,
    config,
    startWorker: async (changes, more) => {
      const worker = await createWorker(
        { ...config, worker: { ...config.worker, ...changes } },
        { env: { API_KEY }, logTo, ...more },
      );
      workers.push(worker);
      return worker;
    },
    spawnWorker: async (file = CHILD) => {
      const child = spawnNode(file, { env: { WORKER_CONFIG: JSON.stringify(config), API_KEY } });
      await child.waitForLine('worker started', 15_000);
      return child;
    },
    until: (key, state, limitMs = 15_000) =>
      eventually(async () => {
        const [found] = await find(reader, key, name).catch(() => []);
        expect([state].flat()).toContain(found?.state);
        return found as Found;
      }, limitMs),
  };
}
