// What an application imports: `waybill`.
import { WaybillError } from '../core/errors.ts';
import { waitForReplicas, type WaitForReplicas } from '../core/redis-settings.ts';
import type { ConnectionInput } from '../queue/connection.ts';
import { WriteQueue } from '../queue/write-queue.ts';

export { defineConfig, type Config, type ConfigInput } from '../core/config.ts';
export { WaybillError, type WaybillErrorCode } from '../core/errors.ts';
export type { Method, Write, WriteInput } from '../core/write.ts';
export type { ConnectionInput } from '../queue/connection.ts';
export type { AddOptions } from '../queue/add-options.ts';
export type { Delivery } from '../queue/delivery.ts';
export type { Ending } from '../queue/ending.ts';
export type { BulkAnswer, BulkItem, WriteJob, WriteQueue } from '../queue/write-queue.ts';

export interface QueueOptions {
  /**
   * A redis://, redis+sentinel:// or redis+cluster:// URL; `{ url, password?, tls? }` as the configuration's `redis`
   * (docs/redis.md); ioredis options; a Redis or a Cluster, which stays the caller's to close. redis://127.0.0.1:6379
   * when left out.
   */
  connection?: ConnectionInput;
  /**
   * Adds are answered only when `count` replicas have them, or with NOT_REPLICATED after `timeoutMs`, 1000 when left out
   * (docs/redis.md#waiting-for-replicas). As `redis.waitForReplicas` of the configuration, over what `connection` says.
   */
  waitForReplicas?: { count: number; timeoutMs?: number };
}

const OPTIONS = ['connection', 'waitForReplicas'];

/**
 * The queue of one destination, to add writes to. It is a BullMQ Queue: getters, QueueEvents and Bull Board work.
 * @param destination 1 to 63 characters of a-z, 0-9, - and _; it is registered on the first add
 * @throws WaybillError INVALID_WRITE for a name that is none, INVALID_CONFIG for a connection that is none
 */
export function createQueue(destination: string, options: QueueOptions = {}): WriteQueue {
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
  if (unknown.length > 0) {
    const message = `createQueue has no option ${unknown.join(', ')}; allowed are ${OPTIONS.join(', ')}`;
    throw new WaybillError('INVALID_CONFIG', message);
  }
  return new WriteQueue(destination, options.connection, options.waitForReplicas && checked(options.waitForReplicas));
}

function checked(given: unknown): WaitForReplicas {
  const parsed = waitForReplicas.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${['waitForReplicas', ...path].join('.')}: ${message}`);
  throw new WaybillError('INVALID_CONFIG', wrong.join('; '));
}
