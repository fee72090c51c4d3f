// waybill find: where is my write, and why?
import { explainWait } from '../core/back-off.ts';
import type { Attempt } from '../core/journal.ts';
import { type Found, find } from '../queue/find.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { describeFound } from './find-text.ts';
import { type Io, say, write } from './io.ts';
import { printDocuments } from './output.ts';
import { type ReadingFlags, withReader } from './reading.ts';

export async function findCommand(io: Io, flags: ReadingFlags, id: string): Promise<ExitCode> {
  const { found, names } = await withReader(io, flags, async (reader) => ({
    found: await find(reader, id, flags.destination),
    names: await reader.destinations(flags.destination),
  }));
  const format = flags.output ?? 'table';
  if (format !== 'table') await printDocuments(io, format, found.map(explained));
  else await write(io.stdout, found.map((one) => describeFound(one, io.stdout)).join('\n'));
  if (found.length > 0) return EXIT.ok;
  const where = names.length === 0 ? 'there is no destination yet' : `looked in ${names.join(', ')}`;
  say(
    io,
    `waybill: NOT_FOUND: nothing stands for ${JSON.stringify(id)} as idempotency key, job id, dead letter id or request_id of a dead letter; ${where}. ` +
      'A delivered write is kept as long as its key lives.',
  );
  return EXIT.failed;
}

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
