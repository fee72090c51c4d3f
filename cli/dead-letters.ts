// waybill dead-letters: the newest as a table, or all as a stream.
import { printable } from '../core/envelope.ts';
import { countLetters, exportLetters, listLetters, type UnreadableLetter } from '../queue/dead-letters.ts';
import type { DeadLetter } from '../queue/letter.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { isoTime, type ReadingFlags, withReader } from './reading.ts';

const MAX_CELL = 60;

type Letter = DeadLetter | UnreadableLetter;

export async function deadLettersList(io: Io, flags: ReadingFlags & { limit: number }): Promise<ExitCode> {
  let total = 0;
  const letters = await withReader(io, flags, async (reader) => {
    const newest: Letter[] = [];
    for (const name of await reader.destinations(flags.destination)) {
      newest.push(...(await listLetters(reader, name, flags.limit)));
      total += await countLetters(reader, name);
    }
    return newest.toSorted((a, b) => b.deadAt - a.deadAt).slice(0, flags.limit);
  });
  if (flags.output === 'json' || flags.output === 'ndjson') await printDocuments(io, flags.output, letters);
  else if (letters.length > 0) await write(io.stdout, layOut([HEADER, ...letters.map(row)]));
  if (letters.length === 0) say(io, 'no dead letters');
  else if (letters.length < total) say(io, `the newest ${letters.length} of ${total}; --limit shows more, export all`);
  return EXIT.ok;
}

export async function deadLettersExport(io: Io, flags: ReadingFlags): Promise<ExitCode> {
  const { output = 'ndjson' } = flags;
  if (output === 'table') throw new CliError('USAGE', '-o table is for dead-letters list; export has ndjson and json');
  await withReader(io, flags, async (reader) => {
    const names = await reader.destinations(flags.destination);
    await printDocuments(io, output, oldestFirst(names.map((name) => exportLetters(reader, name))));
  });
  return EXIT.ok;
}

const HEADER = ['id', 'died', 'destination', 'reason', 'status', 'code', 'verdict', 'request_id', 'write'];

/** Every text of a letter may be the API's: none of it reaches a terminal unchecked. */
function row(letter: Letter): string[] {
  const { id, deadAt, destination } = letter;
  const known = [cell(id), isoTime(deadAt), cell(destination)];
  if ('unreadable' in letter) return [...known, letter.unreadable];
  const { reason, status, envelope, verdict, requestId, write: sent } = letter;
  const sentAs = sent ? `${sent.method} ${sent.path}` : '(no write)';
  return [
    ...known,
    cell(reason),
    cell(status?.toString()),
    cell(envelope?.code),
    cell(verdict),
    cell(requestId),
    cell(sentAs),
  ];
}

const cell = (text: string | undefined): string => printable(text ?? '-', MAX_CELL);

/** Merges streams that are in order each. */
async function* oldestFirst(streams: readonly AsyncGenerator<Letter>[]): AsyncGenerator<Letter> {
  const heads: { letter: Letter; stream: AsyncGenerator<Letter> }[] = [];
  const advance = async (stream: AsyncGenerator<Letter>): Promise<void> => {
    const next = await stream.next();
    if (next.done !== true) heads.push({ letter: next.value, stream });
  };
  for (const stream of streams) await advance(stream);
  while (heads.length > 0) {
    const at = heads.reduce(
      (oldest, head, i) => (head.letter.deadAt < (heads[oldest]?.letter.deadAt ?? 0) ? i : oldest),
      0,
    );
    const [head] = heads.splice(at, 1);
    if (!head) return;
    yield head.letter;
    await advance(head.stream);
  }
}
