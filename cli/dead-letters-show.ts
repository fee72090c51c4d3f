// waybill dead-letters show: one dead letter, and what can be done with it.
import type { ReplayRuling } from '../core/replay.ts';
import { WaybillError } from '../core/errors.ts';
import type { FiledLetter } from '../queue/dead-letters.ts';
import { ruleOnReplay } from '../queue/operate.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, write } from './io.ts';
import { lettersOf } from './letter-selection.ts';
import { describeLetter, type Rulings } from './letter-text.ts';
import { printDocuments } from './output.ts';
import { type ReadingFlags, withReader } from './reading.ts';

export async function deadLettersShow(io: Io, flags: ReadingFlags, id: string): Promise<ExitCode> {
  const { output = 'table' } = flags;
  const { letters, withoutLetter } = await withReader(io, flags, (reader) => lettersOf(reader, id, flags.destination));
  if (letters.length === 0) {
    const why =
      withoutLetter === undefined
        ? 'it is no dead letter id, job id, idempotency key or request_id of one'
        : `its write is ${withoutLetter}, and has no dead letter; see find`;
    throw new WaybillError('NOT_FOUND', `no dead letter for ${JSON.stringify(id)}: ${why}`);
  }
  const now = Date.now();
  if (output === 'table') {
    await write(io.stdout, letters.map((letter) => describeLetter(letter, rulingsOn(letter, now), now)).join('\n'));
  } else {
    const told = letters.map((letter) => {
      const { sameKey, newKey } = rulingsOn(letter, now);
      return { ...letter, replay: { sameKey: withoutJournal(sameKey), newKey: withoutJournal(newKey) } };
    });
    await printDocuments(io, output, told);
  }
  return EXIT.ok;
}

const rulingsOn = (letter: FiledLetter, now: number): Rulings => ({
  sameKey: ruleOnReplay(letter, {}, now),
  newKey: ruleOnReplay(letter, { newKey: true }, now),
});

/** What the next generation would start with is the replay's own business. */
function withoutJournal(ruling: ReplayRuling): Partial<ReplayRuling> {
  if (!ruling.allowed) return ruling;
  const { journal: _journal, ...told } = ruling;
  return told;
}
