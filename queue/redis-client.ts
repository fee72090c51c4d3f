// Makes the driver's client out of settings: for one server, for the primary behind Sentinels, or for a Cluster.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { WaybillError } from '../core/errors.ts';
import { codeOf } from '../core/outcome.ts';
import type { RedisSettings } from '../core/redis-settings.ts';
import { parseRedisUrl, type RedisAddress, redisLabel } from '../core/redis-url.ts';

/** How a program uses its client. BullMQ reads replies as ioredis maps them by default. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Between two tries of a command that a Cluster sends elsewhere, so that two nodes which disagree are not flooded. */
const MOVED_PAUSE_MS = 50;
/** A node that has gone, or a shard that elects: the command is tried again after this long. */
const AWAY_PAUSE_MS = 100;
/** Of a reader, which gives up; each costs a pause. */
const TRIES = 16;

/** @throws WaybillError INVALID_CONFIG for a URL that is none, or a certificate file that cannot be read */
export function createClient(
  settings: RedisSettings,
  options: ClientOptions,
): { client: Redis | Cluster; label: string } {
  const address = parseRedisUrl(settings.url);
  if ('fault' in address) throw new WaybillError('INVALID_CONFIG', `connection: ${address.fault}`);
  const password = settings.password ?? address.password;
  const tls = address.tls ? readTls(settings.tls ?? {}) : undefined;
  const login = {
    ...(address.username !== undefined && { username: address.username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    // CLIENT SETINFO: two commands at each connection, which an ACL would have to allow.
    disableClientInfo: true,
  };
  const label = redisLabel(address);
  if (address.kind === 'cluster') {
    return { client: new Cluster(address.hosts, clusterOptions({ ...options, ...login })), label };
  }
  const place = address.kind === 'single' ? address.hosts[0] : sentinelOptions(address, settings, tls, options);
  return {
    client: new Redis({ ...options, ...login, ...place, db: address.database, reconnectOnError: wasDemoted() }),
    label,
  };
}

const LEAVE_AGAIN_MS = 250;

/**
 * The address leads to another server by now (a failover behind a name or a proxy): the connection to the old primary
 * would answer READONLY for as long as it lives.
 */
export function wasDemoted(): (error: Error) => boolean {
  let leftAt = -Infinity;
  return ({ message }) => {
    // Each command that was refused asks to leave, and the driver adds a listener to the dying socket for each.
    if (!message.startsWith('READONLY') || performance.now() - leftAt < LEAVE_AGAIN_MS) return false;
    leftAt = performance.now();
    return true;
  };
}

function sentinelOptions(
  { hosts, name }: RedisAddress,
  { sentinelPassword }: RedisSettings,
  tls: ConnectionOptions | undefined,
  { retryStrategy }: ClientOptions,
): ClientOptions {
  return {
    sentinels: hosts,
    name,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    // While none of them answers; the driver's own starts at 10 ms.
    ...(retryStrategy && { sentinelRetryStrategy: (times) => retryStrategy(times) }),
  };
}

/**
 * The Cluster's equivalents of what the options say for one server. Its nodes' own connections are made on demand and
 * never remade: a command meets the loss and is sent to whichever node says that the slot is its own.
 */
function clusterOptions({
  retryStrategy,
  enableOfflineQueue: _,
  ...redisOptions
}: ClientOptions): Omit<ClusterOptions, 'redisOptions'> & { redisOptions: ClientOptions } {
  const { maxRetriesPerRequest } = redisOptions;
  return {
    redisOptions,
    ...(retryStrategy && { clusterRetryStrategy: (times) => retryStrategy(times) }),
    // A command whose answer was lost is not sent again for a producer; a worker waits for as long as it takes.
    retryDelayOnFailover: maxRetriesPerRequest === 0 ? 0 : AWAY_PAUSE_MS,
    retryDelayOnClusterDown: AWAY_PAUSE_MS,
    retryDelayOnMoved: MOVED_PAUSE_MS,
    maxRedirections: maxRetriesPerRequest === null ? Number.POSITIVE_INFINITY : TRIES,
    // Names are left to the sockets: a certificate bears the name, not the address.
    dnsLookup: (host, done) => done(null, host),
  };
}

const TLS_FILES = { caFile: 'ca', certFile: 'cert', keyFile: 'key' } as const;

function readTls({ servername, ...files }: NonNullable<RedisSettings['tls']>): ConnectionOptions {
  const options: ConnectionOptions = servername === undefined ? {} : { servername };
  for (const [setting, name] of Object.entries(TLS_FILES) as [keyof typeof files, 'ca' | 'cert' | 'key'][]) {
    const path = files[setting];
    if (path === undefined) continue;
    try {
      options[name] = readFileSync(path, 'utf8');
    } catch (error) {
      throw new WaybillError('INVALID_CONFIG', `redis.tls.${setting}: ${path} cannot be read (${codeOf(error)})`);
    }
  }
  return options;
}
