// What a test needs of Redis: where it is, a destination of its own, and leaving a user's Redis as it was found.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';

const DESTINATION = /^[a-z0-9][a-z0-9-]{0,40}$/;
const SCAN_COUNT = 1_000;

let database: number | undefined;

/** For a file whose bulk operations no dashboard of another file may run: nobody else looks into this database. */
export function useDatabaseOfItsOwn(): void {
  database = 1;
}

export function redisUrl(): string {
  const url = inject('redisUrl');
  if (database === undefined) return url;
  const own = new URL(url);
  own.pathname = `/${database}`;
  return own.href;
}

/** A name that no other test has: `orders-5f3a9c0d1e2b`. */
export function freshDestination(prefix = 'test'): string {
  const name = `${prefix}-${randomBytes(6).toString('hex')}`;
  if (!DESTINATION.test(name)) throw new Error(`${name} cannot be the name of a test's destination`);
  return name;
}

/** Removes every key of these destinations, and their entries in the list of destinations. */
export async function cleanUp(names: string[]): Promise<void> {
  if (names.length === 0) return;
  const redis = new Redis(redisUrl());
  try {
    for (const name of names) {
      for await (const keys of redis.scanStream({ match: `{waybill:${name}}:*`, count: SCAN_COUNT })) {
        if (keys.length > 0) await redis.unlink(...keys);
      }
    }
    await redis.hdel('waybill:destinations', ...names);
  } finally {
    redis.disconnect();
  }
}
