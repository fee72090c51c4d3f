// Before a worker starts: can this Redis keep the promises? One clear sentence each (DESIGN decision 14).
import type { Cluster, Redis } from 'ioredis';
import { WaybillError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import { answerWithin, unreachable } from './unavailable.ts';

/** LPOS, which the settling script needs, came with 6.0.6; BullMQ recommends 6.2. */
export const MIN_REDIS = [6, 2] as const;
/** A worker whose clock is 60 s fast runs delayed writes 60 s early (FACTS). */
export const MAX_CLOCK_DIFFERENCE_MS = 1000;
const REACH_WITHIN_MS = 5000;

export interface Fitness {
  version: string;
  /** What works, but is less than is promised. */
  warnings: string[];
}

/**
 * @throws WaybillError QUEUE_UNAVAILABLE when Redis is not reached within 5 s, REDIS_UNFIT when it must not be used
 */
export async function checkFitness(connection: Connection): Promise<Fitness> {
  const { label, client } = connection;
  let info: string;
  let clockDifferenceMs: number;
  try {
    [info, clockDifferenceMs] = await answerWithin(REACH_WITHIN_MS, connection, async () => [
      await client.info(),
      await clockDifference(client),
    ]);
  } catch (error) {
    throw unreachable(label, error);
  }
  return judge(info, clockDifferenceMs, label);
}

/** The pure part. @param info the reply of INFO @param clockDifferenceMs our clock less the server's */
export function judge(info: string, clockDifferenceMs: number, label: string): Fitness {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const unfit = (why: string): never => {
    throw new WaybillError('REDIS_UNFIT', `Redis at ${label} ${why}`);
  };
  const version = field('redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < MIN_REDIS[0] || (major === MIN_REDIS[0] && minor < MIN_REDIS[1])) {
    unfit(`is version ${version || 'unknown'}; ${MIN_REDIS.join('.')} or newer is needed.`);
  }
  const policy = field('maxmemory_policy');
  if (policy !== 'noeviction') {
    unfit(
      `evicts keys when memory is short (maxmemory-policy ${policy || 'unknown'}), so writes could vanish. Set maxmemory-policy noeviction.`,
    );
  }
  if (Math.abs(clockDifferenceMs) > MAX_CLOCK_DIFFERENCE_MS) {
    const seconds = (Math.abs(clockDifferenceMs) / 1000).toFixed(1);
    unfit(
      `has a clock that is ${seconds} s ${clockDifferenceMs > 0 ? 'behind' : 'ahead of'} this machine's; at most 1 s is allowed, or retries would come at the wrong time. Synchronize both.`,
    );
  }
  const warnings: string[] = [];
  if (field('aof_enabled') !== '1') {
    warnings.push(
      `Redis at ${label} keeps no append-only file: a restart loses writes. Set appendonly yes, best with appendfsync always.`,
    );
  }
  return { version, warnings };
}

/** Our clock less the server's, in ms, read at the middle of the round trip. */
async function clockDifference(client: Redis | Cluster): Promise<number> {
  const before = Date.now();
  const [seconds, micros] = (await client.time()) as unknown as [string | number, string | number];
  return Math.round((before + Date.now()) / 2 - (Number(seconds) * 1000 + Number(micros) / 1000));
}
