// Operations that have ended are kept for a time and up to a number; those that have not are kept.
import type { Reader } from '../reader.ts';
import { each } from './each.ts';
import { indexKeys, operationKeys } from './keys.ts';
import { readStandings } from './read.ts';
import { REMOVE, run } from './scripts.ts';

export interface OperationRetention {
  /** From their end. */
  keepMs: number;
  /** Of a destination. */
  keep: number;
  /** Over all that are kept: an item weighs about 300 bytes. */
  keepItems: number;
}

export const OPERATION_RETENTION: OperationRetention = {
  keepMs: 30 * 24 * 3_600_000,
  keep: 200,
  keepItems: 1_000_000,
};

/** @returns how many went @throws the first error, when all were tried */
export async function trimOperations(
  reader: Reader,
  destination: string,
  { keepMs, keep, keepItems }: OperationRetention = OPERATION_RETENTION,
): Promise<number> {
  const index = indexKeys(destination);
  const ids = await reader.client.zrevrange(index.byTime, 0, -1);
  const standings = await readStandings(reader, destination, ids);
  const now = await reader.now();
  let ended = 0;
  let items = 0;
  let gone = 0;
  await each(ids.entries(), async ([i, id]) => {
    const standing = standings[i];
    if (standing) {
      if (standing.endedAt === undefined) return;
      ended += 1;
      items += standing.total;
      if (ended <= keep && items <= keepItems && now - standing.endedAt <= keepMs) return;
    }
    const keys = operationKeys(destination, id);
    const { operation, results, details, codes, lease } = keys;
    const { marks, byTime, live } = index;
    await run(
      reader.client,
      REMOVE,
      [operation, marks, byTime, live, keys.items, results, details, codes, lease],
      [id],
    );
    gone += 1;
  });
  return gone;
}
