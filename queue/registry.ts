// Which destinations exist: every one that a write was added to or a worker was started for. So a typo in a name
// shows as a queue with no worker, not as silence.
import type { Cluster, Redis } from 'ioredis';
import { DESTINATIONS_KEY } from './keys.ts';

/** Notes a destination once; later calls change nothing. */
export async function register(client: Redis | Cluster, destination: string): Promise<void> {
  await client.hsetnx(DESTINATIONS_KEY, destination, Date.now());
}

/** The names of all destinations, sorted. */
export async function destinations(client: Redis | Cluster): Promise<string[]> {
  return (await client.hkeys(DESTINATIONS_KEY)).toSorted();
}
