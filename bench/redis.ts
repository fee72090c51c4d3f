// A private redis-server for one bench: alone on it, it can count every command.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPrivateRedis } from '../dev/redis/start.ts';

/** Both are gone when the task has ended. @param args further ones of redis-server */
export async function withRedis<T>(
  task: (redis: { url: string; dir: string }) => Promise<T>,
  args: string[] = [],
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-bench-'));
  const server = await startPrivateRedis({ dir: join(dir, 'redis'), args });
  try {
    return await task({ url: server.url, dir });
  } finally {
    await server.stop();
    await rm(dir, { recursive: true });
  }
}
