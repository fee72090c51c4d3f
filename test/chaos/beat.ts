// A beat: the time, written into Redis over and over. Whatever was acknowledged before the last one that is still there when
// Redis is back was written before it, and has to be there too.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { prefixOf } from '../../queue/keys.ts';
import { type Campaign, DESTINATION } from './campaign.ts';
import { asUser, REDIS_PASSWORD, redisOf } from './redis-server.ts';

/** In the slot of the destination. */
const BEAT_KEY = `${prefixOf(DESTINATION)}:beat`;
const BEAT_EVERY_MS = 5;
/** One that is older says nothing: then there were no beats. */
const MAX_AGE_MS = 15_000;

/** On a connection of its own, which ends with its server. */
export function directTo(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  return client;
}

/** To the campaign's own Redis. */
export function directToOwn(campaign: Campaign): Redis {
  const url = new URL(asUser(redisOf(campaign).url));
  url.password = REDIS_PASSWORD;
  return directTo(url.href);
}

export interface Beating {
  /** Epoch ms. */
  readonly since: number;
  stop(): Promise<void>;
}

export function beat(client: Redis): Beating {
  const since = Date.now();
  const over = new AbortController();
  const beating = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await client.set(BEAT_KEY, Date.now()).catch(() => {});
      await sleep(BEAT_EVERY_MS);
    }
  })();
  const stop = async (): Promise<void> => {
    over.abort();
    await beating;
    client.disconnect();
  };
  return { since, stop };
}

/**
 * Disconnects.
 * @param before epoch ms at which the beats had ended
 * @returns when the newest beat was sent that a server has, epoch ms; when they began, where it has none of them
 * @throws where that is long ago: then there were no beats
 */
export async function lastBeat(client: Redis, { since }: Beating, before: number): Promise<number> {
  try {
    const at = Number(await client.get(BEAT_KEY)) || since;
    if (at > before - MAX_AGE_MS) return at;
    throw new Error(`the last beat that is left is of ${at}, ${before - at} ms before its end`);
  } finally {
    client.disconnect();
  }
}
