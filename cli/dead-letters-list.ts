// waybill dead-letters list: the newest, as a table.
import { printable } from '../core/envelope.ts';
import type { LetterState } from '../queue/acts.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { actInWords } from './letter-acts.ts';
import { type FilterFlags, filterOf } from './letter-flags.ts';
import { cellsOf, LETTER_HEADER } from './letter-row.ts';
import { type Letter, select } from './letter-selection.ts';
import { layOut, printDocuments } from './output.ts';
import { withReader } from './reading.ts';

/** What a list reads at most before it shows what it has. An export, or an act, reads all. */
const LOOK_AT_MOST = 100_000;
const MAX_ACT = 200;

interface ListFlags extends FilterFlags {
  state?: LetterState;
  limit: number;
}

export async function deadLettersList(io: Io, flags: ListFlags, ids: readonly string[]): Promise<ExitCode> {
  const { state, limit, destination, output = 'table' } = flags;
  const filter = filterOf(flags, Date.now());
  const found: Letter[] = [];
  const selected = await withReader(io, flags, async (reader) => {
    const sought = { ids, destination, state, first: 'newest', filter, lookAtMost: LOOK_AT_MOST } as const;
    const all = await select(reader, sought);
    for await (const letter of all.letters) if (found.push(letter) > limit) break;
    return all;
  });
  const shown = found.slice(0, limit);
  if (output !== 'table') await printDocuments(io, output, shown);
  else if (shown.length > 0) await write(io.stdout, tableOf(shown));
  const extent: Extent = { ...selected, shown: shown.length, cut: found.length > limit, state };
  const filtered = Object.keys(filter).length > 0;
  if (ids.length === 0) for (const line of filtered ? ofMatching(extent) : ofAll(extent)) say(io, line);
  return tellMissing(io, selected.missing);
}

/** @returns how a command that was given ids ends */
export function tellMissing(io: Pick<Io, 'stderr'>, missing: readonly string[]): ExitCode {
  for (const id of missing) say(io, `waybill: NOT_FOUND: no such dead letter: ${JSON.stringify(id)}`);
  return missing.length > 0 ? EXIT.failed : EXIT.ok;
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

function tableOf(letters: readonly Letter[]): string {
  const acted = letters.some((letter) => letter.acts?.length);
  const row = (letter: Letter): string[] => {
    const last = letter.acts?.at(-1);
    return [...cellsOf(letter), ...(last ? [printable(actInWords(last), MAX_ACT)] : [])];
  };
  return layOut([[...LETTER_HEADER, ...(acted ? ['last act'] : [])], ...letters.map(row)]);
}
