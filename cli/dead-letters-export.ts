// waybill dead-letters export: all that match, as a stream.
import type { LetterState } from '../queue/acts.ts';
import { tellMissing } from './dead-letters-list.ts';
import { CliError, type ExitCode } from './exit-codes.ts';
import { upTo } from './in-order.ts';
import type { Io } from './io.ts';
import { type FilterFlags, filterOf } from './letter-flags.ts';
import { select } from './letter-selection.ts';
import { printDocuments } from './output.ts';
import { withReader } from './reading.ts';

interface ExportFlags extends FilterFlags {
  state?: LetterState;
  limit?: number;
}

export async function deadLettersExport(io: Io, flags: ExportFlags, ids: readonly string[]): Promise<ExitCode> {
  const { output = 'ndjson', state, destination, limit = Infinity } = flags;
  if (output === 'table') throw new CliError('USAGE', '-o table is for dead-letters list; export has ndjson and json');
  const filter = filterOf(flags, Date.now());
  return withReader(io, flags, async (reader) => {
    const selected = await select(reader, { ids, destination, state, first: 'oldest', filter });
    await printDocuments(io, output, upTo(limit, selected.letters));
    return tellMissing(io, selected);
  });
}
