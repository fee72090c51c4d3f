// waybill dead-letters reindex: the lookup rows made right out of the letters, a destination after the other.
import { Reader } from '../queue/reader.ts';
import { reindex, type Reindexed } from '../queue/reindex.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import type { ReadingFlags } from './reading.ts';
import { loadConfig } from './settings.ts';

const HEADER = ['destination', 'open letters', 'rows removed', 'rows added'];

export async function deadLettersReindex(io: Io, flags: ReadingFlags): Promise<ExitCode> {
  const { output = 'table', destination } = flags;
  const { redis } = await loadConfig(io, flags);
  const { asked } = io.untilStopped();
  const reader = await Reader.open(redis);
  const done: ({ destination: string } & Reindexed)[] = [];
  try {
    for (const name of await reader.destinations(destination)) {
      done.push({ destination: name, ...(await reindex(reader, name, { signal: asked })) });
    }
  } catch (error) {
    if (!asked.aborted) throw error;
    say(io, `${String(asked.reason)}: stopped; what was done is right, run it again for the rest`);
  } finally {
    await reader.close();
  }
  if (output !== 'table') await printDocuments(io, output, done);
  else if (done.length > 0) {
    const rows = done.map(({ destination: name, letters, removed, added }) =>
      [name, letters, removed, added].map(String),
    );
    await write(io.stdout, layOut([HEADER, ...rows]));
  }
  return asked.aborted ? EXIT.interrupted : EXIT.ok;
}
