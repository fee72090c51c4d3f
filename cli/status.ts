// waybill status: one row per destination. A queue without a worker is marked: a typo in a name, or nobody at work.
import { configuredAs, retentionOf } from '../core/config.ts';
import { status } from '../queue/status.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { printDocuments } from './output.ts';
import { type ReadingFlags, withReader } from './reading.ts';
import { loadConfig } from './settings.ts';
import { projected, type StatusRow, statusTable } from './status-table.ts';

export async function statusCommand(io: Io, flags: ReadingFlags & { wide?: boolean }): Promise<ExitCode> {
  const settings = await loadConfig(io, flags);
  const found = await withReader(io, flags, (reader) => status(reader, flags.destination));
  const rows = found.map((row): StatusRow => {
    const config = configuredAs(settings, row.destination);
    return config ? { ...row, ...projected(row, retentionOf(config)) } : row;
  });
  if (flags.output === 'json' || flags.output === 'ndjson') await printDocuments(io, flags.output, rows);
  else if (rows.length > 0) await write(io.stdout, statusTable(rows, flags.wide === true, io.stdout));
  if (rows.length === 0) say(io, 'no destination yet: nothing was ever added here, and no worker was started');
  for (const { destination, workers } of rows) {
    if (workers === 0) say(io, `${destination}: no worker serves it. Is the name right, and does a worker run?`);
  }
  return EXIT.ok;
}
