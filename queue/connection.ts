// Connections to Redis, from whatever the caller has: a URL, settings, ioredis options, a Redis or a Cluster.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { resolveConfig } from '../core/config.ts';
import { WaybillError } from '../core/errors.ts';
import type { RedisSettings, RedisSettingsInput, WaitForReplicas } from '../core/redis-settings.ts';
import { DEFAULT_REDIS_URL } from '../core/redis-url.ts';
import { type ClientOptions, createClient, wasDemoted } from './redis-client.ts';

export type ConnectionInput = string | RedisSettingsInput | RedisOptions | Redis | Cluster | undefined;

export interface Connection {
  client: Redis | Cluster;
  /** False for a client that the caller made, and closes. */
  owned: boolean;
  /** For messages; holds no password. */
  label: string;
  /** Of the settings; a producer asks for it. */
  waitForReplicas?: WaitForReplicas;
  /** The code or words of the newest connection error, for messages. */
  trouble?: string;
}

const RECONNECT_MAX_MS = 2000;
const HANDSHAKE_WITHIN_MS = 5000;
/** What was sent before is answered by then, or never. */
const QUIT_WITHIN_MS = 1000;

/** Between attempts to reconnect: short at first, then every 2 s for as long as it takes. */
const retryStrategy = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS);

/**
 * A producer's client: it reports trouble rather than queueing behind it. A command whose answer was lost is
 * rejected, not sent again by the driver: the caller repeats it with the same key.
 */
export const PRODUCER_OPTIONS: ClientOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 2000,
  retryStrategy,
};

/** A worker's client: it waits for Redis for as long as it takes, as BullMQ asks. */
export const WORKER_OPTIONS: ClientOptions = { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy };

/**
 * @throws WaybillError INVALID_CONFIG for a URL that is none, a certificate that cannot be read, or a client that
 *   cannot do what the options ask
 */
export function connect(input: ConnectionInput, options: ClientOptions): Connection {
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
  const made = isOptions(input) ? fromOptions(input, options) : fromSettings(input, options);
  const { client } = made;
  const connection: Connection = { ...made, owned: true };
  // Without a listener ioredis prints every failed attempt to connect; callers are told by their own commands.
  client.on('error', (error: Error) => {
    if (!error.message.startsWith(NO_SENTINEL)) connection.trouble = innermost(error);
  });
  if (client instanceof Redis) limitHandshake(client, options.connectTimeout ?? HANDSHAKE_WITHIN_MS);
  // What each Sentinel said; the event above only counts them.
  client.on('sentinelError', (error: Error) => (connection.trouble = innermost(error)));
  return connection;
}

/** Ends a client that connect() made; one that the caller made is left alone. */
export async function disconnect({ client, owned }: Connection): Promise<void> {
  if (!owned || client.status === 'end') return;
  if (client.status === 'ready') {
    const goodbye = client.quit().catch(() => {});
    await Promise.race([goodbye, sleep(QUIT_WITHIN_MS, undefined, { ref: false })]);
  }
  client.disconnect();
}

/**
 * The driver's connectTimeout ends when the server has accepted. A connection that the network forgets between that and the
 * answers to AUTH and INFO would be waited for without an end. While Redis loads its data it is made anew every so often.
 */
function limitHandshake(client: Redis, limitMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  client.on('connect', () => {
    clearTimeout(timer);
    timer = setTimeout(() => client.status === 'connect' && client.disconnect(true), limitMs).unref();
  });
  client.on('ready', () => clearTimeout(timer));
  client.on('close', () => clearTimeout(timer));
}

type Made = Pick<Connection, 'client' | 'label' | 'waitForReplicas'>;

function fromSettings(input: string | RedisSettingsInput | undefined, options: ClientOptions): Made {
  // Settings of a program's own are checked like a configuration's: a misspelt name is an error.
  const settings: RedisSettings =
    typeof input === 'object' ? resolveConfig({ redis: input }).redis : { url: input ?? DEFAULT_REDIS_URL };
  const { waitForReplicas } = settings;
  return { ...createClient(settings, options), ...(waitForReplicas && { waitForReplicas }) };
}

function fromOptions({ replyMapping: _replyMapping, ...given }: RedisOptions, options: ClientOptions): Made {
  const client = new Redis({ reconnectOnError: wasDemoted(), ...given, ...options });
  const { host, port, path, sentinels, name } = client.options as Pick<
    RedisOptions,
    'host' | 'port' | 'path' | 'sentinels' | 'name'
  >;
  return { client, label: sentinels ? `${name} of the given Sentinels` : (path ?? `${host}:${port}`) };
}

/** ioredis options know no `url`. */
function isOptions(input: Exclude<ConnectionInput, Redis | Cluster>): input is RedisOptions {
  return typeof input === 'object' && !('url' in input);
}

const MAX_TROUBLE = 100;
const NO_SENTINEL = 'All sentinels are unreachable';

/** What a node or a Sentinel has said: the driver wraps it. */
export function innermost(error: Error & { code?: string; lastNodeError?: Error & { code?: string } }): string {
  const { message, code } = error.lastNodeError ?? error;
  const said = /(?:^failed to connect to sentinel \S+ because|Last error:) (.*)$/.exec(message)?.[1];
  return (code ?? said ?? message).slice(0, MAX_TROUBLE);
}

function isClient(input: object): input is Redis | Cluster {
  return 'defineCommand' in input && typeof input.defineCommand === 'function';
}
