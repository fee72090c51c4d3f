// waybill dead-letters show: one dead letter, and what can be done with it.
import type { ProbeRuling } from '../core/probe.ts';
import type { ReplayRuling } from '../core/replay.ts';
import { WaybillError } from '../core/errors.ts';
import { printable } from '../core/envelope.ts';
import type { FiledLetter, UnreadableLetter } from '../queue/dead-letters.ts';
import { ruleOnReplay } from '../queue/operate.ts';
import { ruleOnProbe } from '../queue/probe.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, write } from './io.ts';
import { lettersOf } from './letter-selection.ts';
import { describeLetter, type Rulings } from './letter-text.ts';
import { printDocuments } from './output.ts';
import { type ReadingFlags, withReader } from './reading.ts';

const MAX_ID = 200;

export async function deadLettersShow(io: Io, flags: ReadingFlags, id: string): Promise<ExitCode> {
  const { output = 'table' } = flags;
  const { letters, instead } = await withReader(io, flags, (reader) => lettersOf(reader, id, flags.destination));
  if (letters.length === 0) {
    const why = instead ?? 'it is no dead letter id, job id, idempotency key or request_id of one';
    throw new WaybillError('NOT_FOUND', `no dead letter for ${JSON.stringify(id)}: ${why}`);
  }
  const now = Date.now();
  if (output === 'table') {
    const texts = letters.map((letter) =>
      'unreadable' in letter ? describeUnreadable(letter) : describeLetter(letter, rulingsOn(letter, now), now),
    );
    await write(io.stdout, texts.join('\n'));
  } else {
    const told = letters.map((letter) => {
      if ('unreadable' in letter) return letter;
      const { sameKey, newKey, probe } = rulingsOn(letter, now);
      const replay = { sameKey: withoutJournal(sameKey), newKey: withoutJournal(newKey) };
      return { ...letter, replay, probe: withoutJournal(probe) };
    });
    await printDocuments(io, output, told);
  }
  return EXIT.ok;
}

const describeUnreadable = ({ id, destination, unreadable }: UnreadableLetter): string =>
  `${printable(id, MAX_ID)} at ${destination} ${unreadable}. It can be discarded.\n`;

const rulingsOn = (letter: FiledLetter, now: number): Rulings => ({
  sameKey: ruleOnReplay(letter, {}, now),
  newKey: ruleOnReplay(letter, { newKey: true }, now),
  probe: ruleOnProbe(letter, now),
});

/** What the next generation would start with is the replay's own business. */
function withoutJournal(ruling: ReplayRuling | ProbeRuling): object {
  if (!ruling.allowed) return ruling;
  const { journal: _journal, ...told } = ruling;
  return told;
}
