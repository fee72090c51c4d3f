// The campaign's own Redis, to be killed and started again: in the same folder and on the same port, so that whoever
// uses it finds it again.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import type { Campaign, CampaignOptions } from './campaign.ts';
import { until } from './until.ts';

const USER = 'waybill';
/** Workers and producers have it; it must show nowhere. */
export const REDIS_PASSWORD = 'chaos-password-of-redis-73b1';

/** The address of a Redis, or of a proxy before it, for the user who has that password. */
export function asUser(url: string): string {
  const own = new URL(url);
  own.username = USER;
  return own.href;
}

/** @param args for this start alone */
export function startRedis(
  folder: string,
  { appendFsync = 'everysec', redisArgs = [] }: Pick<CampaignOptions, 'appendFsync' | 'redisArgs'>,
  port = 0,
  args: readonly string[] = [],
): Promise<PrivateRedis> {
  return startPrivateRedis({
    dir: redisFolder(folder),
    appendFsync,
    port,
    // The file holds every command that ever was, for the search for secrets.
    args: [
      '--auto-aof-rewrite-percentage',
      '0',
      '--user',
      USER,
      'on',
      `>${REDIS_PASSWORD}`,
      '~*',
      '&*',
      '+@all',
      ...redisArgs,
      ...args,
    ],
  });
}

const redisFolder = (folder: string): string => join(folder, 'redis');

/** kill -9, and gone. */
export async function killRedis(campaign: Campaign): Promise<void> {
  const { pid } = redisOf(campaign);
  redisOf(campaign).kill();
  // Whoever has a lock may lose it meanwhile.
  campaign.allLost();
  await until('Redis is gone', () => !isThere(pid), 10_000, 1);
}

/** @param args for this start alone */
export async function startRedisAgain(campaign: Campaign, args: readonly string[] = []): Promise<void> {
  campaign.redis = await startRedis(campaign.folder, campaign.options, redisOf(campaign).port, args);
}

export function redisOf({ redis }: Campaign): PrivateRedis {
  if (!redis) throw new Error('this fault needs a Redis of its own');
  return redis;
}

/** The file that Redis appends to. */
export function appendOnlyFile({ folder }: Campaign): string {
  const inside = join(redisFolder(folder), 'appendonlydir');
  const files = readdirSync(inside)
    .filter((name) => name.endsWith('.incr.aof'))
    .map((name) => join(inside, name));
  const newest = files.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (!newest) throw new Error(`no append-only file in ${inside}`);
  return newest;
}

/** @returns whether a process runs */
export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
