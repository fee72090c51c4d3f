// waybill find: where is my write, and why?
import { explainWait } from '../core/back-off.ts';
import type { Attempt } from '../core/journal.ts';
import { findDelivered, SCAN_LIMIT, type Scan } from '../queue/find-delivered.ts';
import { type Found, find } from '../queue/find.ts';
import type { Reader } from '../queue/reader.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { describeFound } from './find-text.ts';
import { type Io, say, write } from './io.ts';
import { printDocuments } from './output.ts';
import { type Progress, startProgress } from './progress.ts';
import { isoTime, type ReadingFlags, withReader } from './reading.ts';

interface FindFlags extends ReadingFlags {
  /** Delivered writes that are gone through for a request_id; 0 for none. */
  scanLimit?: number;
}

export async function findCommand(io: Io, flags: FindFlags, id: string): Promise<ExitCode> {
  const { found, names, scan } = await withReader(io, flags, async (reader) => {
    const byRow = await find(reader, id, flags.destination);
    const mayScan = byRow.length === 0 && flags.scanLimit !== 0;
    const gone = mayScan ? await goThrough(io, reader, id, flags) : undefined;
    return { found: gone?.found ?? byRow, scan: gone, names: await reader.destinations(flags.destination) };
  });
  const format = flags.output ?? 'table';
  if (format !== 'table') await printDocuments(io, format, found.map(explained));
  else await write(io.stdout, found.map((one) => describeFound(one, io.stdout)).join('\n'));
  if (found.length > 0) return EXIT.ok;
  const where = names.length === 0 ? 'there is no destination yet' : `looked in ${names.join(', ')}`;
  say(
    io,
    `waybill: NOT_FOUND: nothing stands for ${JSON.stringify(id)} as idempotency key, job id, dead letter id or request_id; ${where}. ` +
      `${scanInWords(scan)} A delivered write is kept for retention.deliveredMs of its destination, and at least as long as its key lives.`,
  );
  return EXIT.failed;
}

/** A person at a terminal sees after this long that something is being done. */
const QUIET_MS = 1000;

/** Through the delivered writes, the newest first. */
async function goThrough(
  io: Io,
  reader: Reader,
  id: string,
  { destination, scanLimit = SCAN_LIMIT }: FindFlags,
): Promise<Scan> {
  const notBefore = performance.now() + QUIET_MS;
  let progress: Progress | undefined;
  const scan = await findDelivered(reader, id, {
    ...(destination !== undefined && { destination }),
    limit: scanLimit,
    onProgress({ scanned, kept }) {
      progress ??= startProgress(io, 'delivered writes', kept, { sharesScreen: true, notBefore });
      progress?.show(scanned, `${count(scanned)} of ${count(kept)}`);
    },
  });
  progress?.clear();
  return scan;
}

function scanInWords(scan: Scan | undefined): string {
  if (!scan) return 'No delivered write was gone through for a request_id: --scan-limit says how many may be.';
  const { scanned, kept, backTo } = scan;
  if (backTo === undefined) return 'There is no delivered write.';
  const looked = `Looked at ${count(scanned)} of ${count(kept)} delivered writes, back to ${isoTime(backTo)}`;
  return scanned < kept ? `${looked}; --scan-limit looks further.` : `${looked}.`;
}

/** 1,234,567 */
const count = (n: number): string => n.toLocaleString('en');

const explain = (entry: Attempt): Attempt & { explain?: string } => ({
  ...entry,
  ...(entry.wait && { explain: explainWait(entry.wait) }),
});

/** The same, with why each wait was that long. */
function explained(found: Found): unknown {
  const { journal, letter } = found;
  const { lastPostponed } = journal;
  return {
    ...found,
    journal: {
      ...journal,
      attempts: journal.attempts.map(explain),
      ...(lastPostponed && { lastPostponed: explain(lastPostponed) }),
    },
    // Its journal is the one above.
    ...(letter && { letter: { ...letter, journal: undefined } }),
  };
}
