// All destinations for the dashboard's first view: what stands where, what goes on minute by minute, what retention will
// take, and what Redis holds.
import type { Cluster, Redis } from 'ioredis';
import { type Config, configuredAs, retentionOf } from '../core/config.ts';
import type { PauseAct } from './acts.ts';
import { deadQueueName, prefixOf, rowKeys } from './keys.ts';
import { type Minute, readMinutes } from './minutes.ts';
import { lastPauseOf } from './pause.ts';
import type { Reader } from './reader.ts';
import { unlessRefused } from './refused.ts';
import { parseInfo, serversOf } from './server-facts.ts';
import { type DestinationStatus, statusOf, weigh } from './status.ts';

type Standing = Omit<
  DestinationStatus,
  'delayedLookedAt' | 'deliveredLately' | 'deliveredLatelyMs' | 'tombstoneBytes' | 'trimmedAt' | 'trimmedDead'
>;

export interface DestinationOverview extends Standing {
  /** In the configuration that was given. */
  configured: boolean;
  /** Who paused it and why, as far as the audit stream tells. */
  pausedBy?: Pick<PauseAct, 'by' | 'reason' | 'at'>;
  /** The oldest first, one a minute. */
  minutes: Minute[];
  retention: {
    /** How long an open dead letter is kept, and a handled one; of configured destinations. */
    deadMs?: number;
    handledMs?: number;
    /** When retention last went through, epoch ms. */
    trimmedAt?: number;
    /** Open dead letters that it has taken away so far. */
    trimmedDead: number;
    /** When it takes the oldest open one, if nobody handles that before. Epoch ms. */
    nextTrimAt?: number;
    /** Of the open dead letters, drawn from a sample; missing where Redis does not tell. */
    deadBytes?: number;
    /** The same of the delivered tombstones. */
    tombstoneBytes?: number;
  };
}

export interface RedisOverview {
  version?: string;
  /** Of a Cluster, of all primaries together. */
  usedBytes?: number;
  /** Missing where there is no limit. */
  maxBytes?: number;
}

export interface Overview {
  /** Sorted by name. */
  destinations: DestinationOverview[];
  redis: RedisOverview;
  /** By Redis' clock, epoch ms. */
  now: number;
}

/** Read at once; each costs about a dozen round trips on one connection. */
const AT_ONCE = 10;

/**
 * @param config for retention; without it, or a destination that it lacks, times of retention are not known
 * @param options minutes: how many, the present one included; only: this destination alone
 * @throws WaybillError NOT_FOUND for a destination that was never used
 */
export async function overviewOf(
  reader: Reader,
  config: Pick<Config, 'destinations'> | undefined,
  { minutes, only }: { minutes: number; only?: string | undefined },
): Promise<Overview> {
  const now = await reader.now();
  const names = await reader.destinations(only);
  const destinations: DestinationOverview[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE).map((name) => lookAt(reader, config, name, minutes, now));
    destinations.push(...(await Promise.all(some)));
  }
  const redis = await unlessRefused(() => memoryOf(reader.client, reader.label));
  return { destinations, redis: 'value' in redis ? redis.value : {}, now };
}

async function lookAt(
  reader: Reader,
  config: Pick<Config, 'destinations'> | undefined,
  destination: string,
  minutes: number,
  now: number,
): Promise<DestinationOverview> {
  const configured = configuredAs(config, destination);
  const deadBase = `${prefixOf(destination)}:${deadQueueName(destination)}`;
  const [status, ofMinutes, oldest] = await Promise.all([
    statusOf(reader, destination),
    readMinutes(reader, destination, { minutes, now }),
    reader.client.zrange(rowKeys(destination).byTime, '0', '0', 'WITHSCORES'),
  ]);
  const weighed = await unlessRefused(() => weigh(reader, rowKeys(destination).byTime, deadBase, status.dead));
  const lastPause = status.paused ? await lastPauseOf(reader, destination) : undefined;
  const {
    delayedLookedAt: _looked,
    deliveredLately: _lately,
    deliveredLatelyMs: _latelyMs,
    tombstoneBytes,
    trimmedAt,
    trimmedDead,
    ...standing
  } = status;
  const keep = configured && retentionOf(configured);
  const oldestDeadAt = oldest[1];
  return {
    ...standing,
    configured: configured !== undefined,
    // The last entry may be a resume: then a plain BullMQ tool has paused it since.
    ...(lastPause?.act === 'pause' && {
      pausedBy: { by: lastPause.by, reason: lastPause.reason, at: lastPause.at },
    }),
    minutes: ofMinutes,
    retention: {
      ...(keep && { deadMs: keep.deadMs, handledMs: keep.handledMs }),
      ...(trimmedAt !== undefined && { trimmedAt }),
      trimmedDead,
      ...(keep && oldestDeadAt !== undefined && { nextTrimAt: Number(oldestDeadAt) + keep.deadMs }),
      ...('value' in weighed && { deadBytes: weighed.value }),
      ...(tombstoneBytes !== undefined && { tombstoneBytes }),
    },
  };
}

async function memoryOf(client: Redis | Cluster, label: string): Promise<RedisOverview> {
  const infos = await Promise.all(serversOf(client, label).map(async (one) => parseInfo(await one.client.info())));
  const sum = (field: string): number => infos.reduce((total, info) => total + Number(info[field] ?? 0), 0);
  const version = infos[0]?.valkey_version ?? infos[0]?.redis_version;
  // One server without a limit: there is none for all.
  const bounded = infos.length > 0 && infos.every((info) => Number(info.maxmemory ?? 0) > 0);
  return {
    ...(version !== undefined && { version }),
    ...(infos.length > 0 && { usedBytes: sum('used_memory') }),
    ...(bounded && { maxBytes: sum('maxmemory') }),
  };
}
