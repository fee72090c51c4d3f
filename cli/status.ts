// waybill status: one row per destination. A queue without a worker is marked: a typo in a name, or nobody at work.
import { styleText } from 'node:util';
import { type DestinationStatus, status } from '../queue/status.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { type ReadingFlags, withReader } from './reading.ts';

export async function statusCommand(io: Io, flags: ReadingFlags): Promise<ExitCode> {
  const rows = await withReader(io, flags, (reader) => status(reader, flags.destination));
  if (flags.output === 'json' || flags.output === 'ndjson') await printDocuments(io, flags.output, rows);
  else if (rows.length > 0) await write(io.stdout, table(io, rows));
  if (rows.length === 0) say(io, 'no destination yet: nothing was ever added here, and no worker was started');
  for (const { destination, workers } of rows) {
    if (workers === 0) say(io, `${destination}: no worker serves it. Is the name right, and does a worker run?`);
  }
  return EXIT.ok;
}

function table({ stdout }: Io, rows: readonly DestinationStatus[]): string {
  const header = ['destination', 'workers', 'waiting', 'active', 'delayed', 'delivered', 'dead', ''];
  const noWorker = styleText('red', 'no worker', { stream: stdout });
  return layOut([
    header,
    ...rows.map(({ destination, workers, waiting, active, delayed, delivered, dead, paused }) => [
      destination,
      workers === 0 ? noWorker : String(workers),
      ...[waiting, active, delayed, delivered, dead].map(String),
      paused ? 'paused' : '',
    ]),
  ]);
}
