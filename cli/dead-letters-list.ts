// waybill dead-letters list: the newest, as a table.
import { printable } from '../core/envelope.ts';
import type { LetterState } from '../queue/acts.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { actInWords } from './letter-acts.ts';
import { type FilterFlags, filterOf } from './letter-flags.ts';
import { cellsOf, LETTER_HEADER } from './letter-row.ts';
import { type Letter, select, type Selected } from './letter-selection.ts';
import { layOut, printDocuments } from './output.ts';
import { withReader } from './reading.ts';

/** Letters that a list looks into at most, where no row tells. An export, or an act, looks into all. */
const LOOK_AT_MOST = 100_000;
const MAX_ACT = 200;

interface ListFlags extends FilterFlags {
  state?: LetterState;
  limit: number;
}

export async function deadLettersList(io: Io, flags: ListFlags, ids: readonly string[]): Promise<ExitCode> {
  const { state, limit, destination, output = 'table' } = flags;
  const filter = filterOf(flags, Date.now());
  const { selected, shown, cut } = await withReader(io, flags, async (reader) => {
    const sought = { ids, destination, state, first: 'newest', filter, lookAtMost: LOOK_AT_MOST } as const;
    const all = await select(reader, sought);
    const extent = { selected: all, shown: 0, cut: false };
    async function* upToLimit(): AsyncGenerator<Letter> {
      for await (const letter of all.letters) {
        extent.cut = extent.shown === limit;
        if (extent.cut) return;
        extent.shown += 1;
        yield letter;
      }
    }
    if (output !== 'table') await printDocuments(io, output, upToLimit());
    else await printTable(io, upToLimit());
    return extent;
  });
  const extent: Extent = { ...selected, shown, cut, state };
  if (ids.length > 0) {
    if (cut) say(io, `the first ${shown} of those that were named; --limit shows more`);
  } else {
    const filtered = Object.keys(filter).length > 0;
    for (const line of filtered ? ofMatching(extent) : ofAll(extent)) say(io, line);
  }
  return tellMissing(io, selected);
}

/** @returns how a command that was given ids ends */
export function tellMissing(
  io: Pick<Io, 'stderr'>,
  { missing, unmeant }: Pick<Selected, 'missing' | 'unmeant'>,
): ExitCode {
  for (const id of missing) say(io, `waybill: NOT_FOUND: no such dead letter: ${JSON.stringify(id)}`);
  for (const id of unmeant)
    say(io, `waybill: NO_MATCH: there is a dead letter ${JSON.stringify(id)}, but it does not match the flags`);
  return missing.length + unmeant.length > 0 ? EXIT.failed : EXIT.ok;
}

interface Extent {
  shown: number;
  /** There is at least one more. */
  cut: boolean;
  total: number;
  looked: number;
  state: LetterState | undefined;
}

/** `replayed dead letters`; open ones are what dead letters are. */
const named = (state: LetterState | undefined): string =>
  `${state === undefined || state === 'open' ? '' : `${state} `}dead letters`;

function ofAll({ shown, cut, total, state }: Extent): string[] {
  if (shown === 0) return [`no ${named(state)}`];
  return cut ? [`the newest ${shown} of ${total}; --limit shows more, export all`] : [];
}

/** What is said of a filter: whether there is more, and whether all was looked at. */
function ofMatching({ shown, cut, total, looked, state }: Extent): string[] {
  const all = looked >= LOOK_AT_MOST && looked < total ? ` the newest ${looked} of` : '';
  const inAll = `${all} ${total} ${named(state)}`.trim();
  if (cut) return [`the newest ${shown} that match; more match: --limit shows more, export all`];
  if (all === '') return shown === 0 ? [`none matches, of ${inAll}`] : [];
  return [`${shown} match in ${inAll}; --before looks further back, export looks at all`];
}

/** Its columns are as wide as their widest cell: the cells are kept, the letters are not. */
async function printTable(io: Io, letters: AsyncIterable<Letter>): Promise<void> {
  const rows: string[][] = [];
  let acted = false;
  for await (const letter of letters) {
    const last = letter.acts?.at(-1);
    acted ||= last !== undefined;
    rows.push([...cellsOf(letter), ...(last ? [printable(actInWords(last), MAX_ACT)] : [])]);
  }
  if (rows.length > 0) await write(io.stdout, layOut([[...LETTER_HEADER, ...(acted ? ['last act'] : [])], ...rows]));
}
