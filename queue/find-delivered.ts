// A delivered write by its request_id. No row is written on the path of a delivery, so that it costs no command there:
// this goes through the delivered writes that are kept, the newest first, up to a bound, and says what it has seen.
import { prefixOf } from './keys.ts';
import { findJob, type Found } from './find.ts';
import type { Reader } from './reader.ts';

export interface Scan {
  found: Found[];
  /** Delivered writes looked at. */
  scanned: number;
  /** Delivered writes kept, where the scan began. */
  kept: number;
  /** When the last one looked at was delivered, epoch ms; missing when there was none. */
  backTo?: number;
}

export interface ScanOptions {
  destination?: string;
  /** At most so many are looked at, over all destinations. */
  limit?: number;
  /** Told after each page. */
  onProgress?: (scan: Scan) => void;
}

export const SCAN_LIMIT = 200_000;
const PAGE = 500;

export async function findDelivered(reader: Reader, requestId: string, options: ScanOptions = {}): Promise<Scan> {
  const { destination: only, limit = SCAN_LIMIT, onProgress } = options;
  const scan: Scan = { found: [], scanned: 0, kept: 0 };
  const names = await reader.destinations(only);
  const keys = names.map((name) => `${prefixOf(name)}:${name}:`);
  for (const key of keys) scan.kept += await reader.client.zcard(`${key}completed`);
  // As JSON writes it: what does not hold this text is not looked up; what does may hold it elsewhere.
  const needle = JSON.stringify(requestId);
  for (const [i, destination] of names.entries()) {
    const base = keys[i] ?? '';
    for (let from = 0; scan.scanned < limit; from += PAGE) {
      const to = from + Math.min(PAGE, limit - scan.scanned) - 1;
      const rows = await reader.client.zrevrange(`${base}completed`, from, to, 'WITHSCORES');
      if (rows.length === 0) break;
      const ids = rows.filter((_, at) => at % 2 === 0);
      const pipeline = reader.client.pipeline();
      for (const id of ids) pipeline.hget(base + id, 'data');
      const replies = (await pipeline.exec()) ?? [];
      scan.scanned += ids.length;
      scan.backTo = Math.min(scan.backTo ?? Infinity, Number(rows.at(-1)));
      for (const [at, id] of ids.entries()) {
        const value = replies[at]?.[1];
        if (typeof value !== 'string' || !value.includes(needle)) continue;
        const found = await findJob(reader, destination, id);
        if (found?.requestIds.includes(requestId)) scan.found.push(found);
      }
      if (scan.found.length > 0) return scan;
      onProgress?.(scan);
    }
  }
  return scan;
}
