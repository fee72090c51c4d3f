// BullMQ takes a backend factory; ours puts WaybillBackend over a client that the caller owns.
import { createIORedisClient, type QueueBaseOptions, RedisConnection } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { WaybillBackend } from './backend.ts';
import { destinationOf, prefixOf } from './keys.ts';
import { MIN_REDIS } from './server-rules.ts';

/**
 * BullMQ takes a server that it has not asked for version 5, which has no LPOS: to tell a waiting job's state it would
 * read the whole list. Workers refuse a server that is older than this.
 */
class UnaskedConnection extends RedisConnection {
  override get redisVersion(): string {
    return MIN_REDIS.join('.');
  }
}

/** @param skipVersionCheck leaves out an INFO that, failing once, would leave the backend unusable for good */
export function backendFactory(client: Redis | Cluster, skipVersionCheck: boolean) {
  return (name: string, opts: QueueBaseOptions, { withBlockingConnection = false } = {}): WaybillBackend => {
    const main = new (skipVersionCheck ? UnaskedConnection : RedisConnection)(client, {
      shared: true,
      blocking: false,
      skipVersionCheck,
    });
    if (!withBlockingConnection) return new WaybillBackend(main, name, opts);
    // The name by which BullMQ's getWorkers() finds workers in CLIENT LIST.
    const connectionName = `${prefixOf(destinationOf(name))}:${Buffer.from(name).toString('base64')}`;
    // A worker's blocking connection is a duplicate that the backend owns.
    const copy = createIORedisClient(client).duplicate({ connectionName });
    return new WaybillBackend(
      main,
      name,
      opts,
      new RedisConnection(copy, { shared: false, blocking: true, skipVersionCheck: false }),
    );
  };
}
