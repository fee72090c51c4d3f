// Connections to Redis, from whatever the caller has: a URL, ioredis options, a Redis or a Cluster.
import { setTimeout } from 'node:timers/promises';
import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { redisUrlFault } from '../core/config.ts';
import { WaybillError } from '../core/errors.ts';

export type ConnectionInput = string | RedisOptions | Redis | Cluster | undefined;

/** BullMQ reads replies as ioredis maps them by default. */
type OwnOptions = Omit<RedisOptions, 'replyMapping'>;

export interface Connection {
  client: Redis | Cluster;
  /** False for a client that the caller made, and closes. */
  owned: boolean;
  /** For messages; holds no password. */
  label: string;
  /** The code or words of the newest connection error, for messages. */
  trouble?: string;
}

const LOOPBACK = 'redis://127.0.0.1:6379';
const RECONNECT_MAX_MS = 2000;
/** What was sent before is answered by then, or never. */
const QUIT_WITHIN_MS = 1000;

/** Between attempts to reconnect: short at first, then every 2 s for as long as it takes. */
const retryStrategy = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS);

/**
 * A producer's client: it reports trouble rather than queueing behind it. A command whose answer was lost is
 * rejected, not sent again by the driver: the caller repeats it with the same key.
 */
export const PRODUCER_OPTIONS: OwnOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 2000,
  retryStrategy,
};

/** A worker's client: it waits for Redis for as long as it takes, as BullMQ asks. */
export const WORKER_OPTIONS: OwnOptions = { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy };

/** @throws WaybillError INVALID_CONFIG for a URL that is none, or a client that cannot do what the options ask */
export function connect(input: ConnectionInput, options: OwnOptions): Connection {
  if (input !== undefined && typeof input === 'object' && isClient(input)) {
    const given = input.options as {
      maxRetriesPerRequest?: number | null;
      redisOptions?: { maxRetriesPerRequest?: number | null };
    };
    if (options.maxRetriesPerRequest === null && (given.redisOptions ?? given).maxRetriesPerRequest !== null) {
      throw new WaybillError(
        'INVALID_CONFIG',
        'connection: a client for a worker needs maxRetriesPerRequest: null, so that it waits for Redis',
      );
    }
    return { client: input, owned: false, label: 'the given Redis client' };
  }
  const client: Redis =
    typeof input === 'object'
      ? new Redis({ ...withoutMapping(input), ...options })
      : new Redis(checkUrl(input ?? LOOPBACK), options);
  const { host, port, path } = client.options as { host?: string; port?: number; path?: string };
  const connection: Connection = { client, owned: true, label: path ?? `${host}:${port}` };
  // Without a listener ioredis prints every failed attempt to connect; callers are told by their own commands.
  client.on(
    'error',
    (error: Error & { code?: string }) => (connection.trouble = (error.code ?? error.message).slice(0, 100)),
  );
  return connection;
}

/** Ends a client that connect() made; one that the caller made is left alone. */
export async function disconnect({ client, owned }: Connection): Promise<void> {
  if (!owned || client.status === 'end') return;
  if (client.status === 'ready') {
    const goodbye = client.quit().catch(() => {});
    await Promise.race([goodbye, setTimeout(QUIT_WITHIN_MS, undefined, { ref: false })]);
  }
  client.disconnect();
}

function withoutMapping(given: RedisOptions): OwnOptions {
  const { replyMapping: _replyMapping, ...options } = given;
  return options;
}

function isClient(input: object): input is Redis | Cluster {
  return 'defineCommand' in input && typeof input.defineCommand === 'function';
}

function checkUrl(url: string): string {
  const fault = redisUrlFault(url);
  if (fault !== undefined) throw new WaybillError('INVALID_CONFIG', `connection: ${fault}`);
  return url;
}
