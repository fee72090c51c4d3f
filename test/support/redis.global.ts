// Before the tests: a Redis for them. REDIS_URL, else a container when Docker answers, else the private redis-server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { run } from '../../dev/redis/command.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';

const IMAGE = 'redis:8';
const ASK_DOCKER = fileURLToPath(new URL('./ask-docker.ts', import.meta.url));
const DOCKER_ANSWER_LIMIT_MS = 5_000;

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
  }
}

interface TestRedis {
  url: string;
  /** For people, without the URL: it may hold a password. */
  from: string;
  stop(): Promise<unknown>;
}

export default async function setup(project: TestProject): Promise<() => Promise<unknown>> {
  const { env } = process;
  const redis = fromEnvironment(env) ?? (await fromDocker(env)) ?? (await fromPrivateServer(env));
  process.stdout.write(`Redis for the tests: ${redis.from}\n`);
  project.provide('redisUrl', redis.url);
  return () => redis.stop();
}

function fromEnvironment(env: NodeJS.ProcessEnv): TestRedis | undefined {
  const url = env.REDIS_URL;
  return url ? { url, from: 'REDIS_URL', stop: async () => {} } : undefined;
}

async function fromDocker(env: NodeJS.ProcessEnv): Promise<TestRedis | undefined> {
  try {
    await run(process.execPath, [ASK_DOCKER], { env, limitMs: DOCKER_ANSWER_LIMIT_MS });
    const { RedisContainer } = await import('@testcontainers/redis');
    // Append-only like the private one.
    const container = await new RedisContainer(IMAGE).withCommand(['redis-server', '--appendonly', 'yes']).start();
    // Stopped here and not left to Ryuk, which some machines cannot run.
    return { url: container.getConnectionUrl(), from: `testcontainers (${IMAGE})`, stop: () => container.stop() };
  } catch {
    return undefined; // no engine, or no image to be had: the next one will do
  }
}

async function fromPrivateServer(env: NodeJS.ProcessEnv): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-redis-'));
  const server = await startPrivateRedis({ dir, env, log: (line) => process.stdout.write(`${line}\n`) });
  const stop = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { url: server.url, from: `the private ${server.from}`, stop };
}
