// What changes whenever the dead letters of a destination or its bulk operations do, in four small reads of one slot: for
// whoever waits for news.
import { auditKey, rowKeys } from './keys.ts';
import { indexKeys } from './operations/keys.ts';
import type { Reader } from './reader.ts';

export interface Pulse {
  /** Open dead letters. */
  open: number;
  /** When the newest of them died, epoch ms. */
  newestAt?: number;
  /** The newest entry of the audit stream. */
  audit?: string;
  /** By id, a number that grows with every change. */
  operations: Record<string, string>;
}

export async function readPulse({ client }: Pick<Reader, 'client'>, destination: string): Promise<Pulse> {
  const { byTime } = rowKeys(destination);
  const [open, newest, audit, operations] = await Promise.all([
    client.zcard(byTime),
    client.zrevrange(byTime, 0, 0, 'WITHSCORES'),
    client.xrevrange(auditKey(destination), '+', '-', 'COUNT', 1),
    client.hgetall(indexKeys(destination).marks),
  ]);
  const entry = audit[0]?.[0];
  return {
    open,
    ...(newest[1] !== undefined && { newestAt: Number(newest[1]) }),
    ...(entry && { audit: entry }),
    operations,
  };
}
