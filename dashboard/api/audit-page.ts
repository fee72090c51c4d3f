// The audit of all destinations, the newest first, a page at a time: a merge of their streams.
import { audit, type AuditEntry } from '../../queue/acts.ts';
import type { Reader } from '../../queue/reader.ts';
import type { Place } from './cursor.ts';
import { merge, type Merged, type Part, type Spot } from './merge.ts';

/** Entries of one destination that one page looks at, where a person or an act is asked for. */
const AUDIT_SCAN = 5000;
/** Streams count the entries of a millisecond in up to 20 digits. */
const DIGITS = 20;

export interface AuditFilter {
  by?: string | undefined;
  act?: string | undefined;
}

export const pageOfAudit = (
  reader: Reader,
  names: readonly string[],
  filter: AuditFilter,
  { after, limit, signal }: { after?: Place | undefined; limit: number; signal: AbortSignal },
): Promise<Merged<AuditEntry>> =>
  merge(names, { first: 'newest', after, limit }, async (destination, from) => {
    const part: Part<AuditEntry> = { items: [], scanned: 0 };
    for await (const item of audit(reader, destination, from && entryOf(from))) {
      signal.throwIfAborted();
      part.scanned += 1;
      const spot = spotOf(item.entry);
      if (isAsked(item, filter)) part.items.push({ item, spot });
      if (part.items.length > limit || part.scanned >= AUDIT_SCAN) return { ...part, next: spot };
    }
    return part;
  });

export const isAsked = (entry: AuditEntry, { by, act }: AuditFilter): boolean =>
  (by === undefined || entry.by === by) && (act === undefined || entry.act === act);

/** So that ids compare as texts. */
function spotOf(entry: string): Spot {
  const [at = '0', n = '0'] = entry.split('-');
  return { at: Number(at), id: n.padStart(DIGITS, '0') };
}

/** The entry that a stream is read behind; all of a millisecond are behind the first of the next one. */
function entryOf({ at, id }: Spot): string {
  if (id === '') return `${at}-0`;
  return /^\d+$/.test(id) ? `${at}-${BigInt(id)}` : `${at + 1}-0`;
}
