// waybill dead-letters audit: what operators, and retention, did to dead letters, the newest first.
import { printable } from '../core/envelope.ts';
import { type AuditEntry, audit, isOperationAct, isPauseAct } from '../queue/acts.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { inOrder, upTo } from './in-order.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { isoTime, type ReadingFlags, withReader } from './reading.ts';

const MAX_CELL = 200;
const HEADER = ['at', 'destination', 'act', 'by', 'dead letter', 'verdict', 'reason'];

export async function deadLettersAudit(io: Io, flags: ReadingFlags & { limit: number }): Promise<ExitCode> {
  const { limit, output = 'table' } = flags;
  const newest = await withReader(io, flags, async (reader) => {
    const names = await reader.destinations(flags.destination);
    const streams = names.map((name) => audit(reader, name));
    // One more than is shown tells whether there are more.
    return Array.fromAsync(
      upTo(
        limit + 1,
        inOrder(streams, 'newest', ({ at }) => at),
      ),
    );
  });
  const shown = newest.slice(0, limit);
  if (output !== 'table') await printDocuments(io, output, shown);
  else if (shown.length > 0) await write(io.stdout, layOut([HEADER, ...shown.map(row)]));
  if (shown.length === 0) say(io, 'nothing was done to a dead letter');
  else if (newest.length > limit) say(io, `the newest ${limit}; --limit shows more`);
  return EXIT.ok;
}

/** Of an entry that something else has written no field is sure. */
const cell = (value: unknown): string => printable(typeof value === 'string' ? value : '', MAX_CELL) || '-';

function row(entry: AuditEntry): string[] {
  const { at, destination, by } = entry;
  const known = [isoTime(at), cell(destination), cell(entry.act), cell(by)];
  if (entry.act === 'trim')
    return [
      ...known,
      `${cell(entry.first)} … ${cell(entry.last)}`,
      '-',
      `${entry.count} were past their age or number`,
    ];
  if (isPauseAct(entry)) return [...known, '-', '-', cell(entry.reason)];
  if (isOperationAct(entry))
    return [...known, `${entry.verb} of ${entry.count}`, '-', cell(`${entry.reason} (operation ${entry.operation})`)];
  const { letter, verdict, reason, newKey, generation, edited, doubleAccepted, operation } = entry;
  const how = [
    ...(newKey ? [`new key ${newKey.idempotencyKey}`] : generation === undefined ? [] : [`generation ${generation}`]),
    ...(edited ? ['edited'] : []),
    ...(doubleAccepted ? ['a double application accepted'] : []),
    ...(operation === undefined ? [] : [`operation ${operation}`]),
  ];
  return [...known, cell(letter), cell(verdict), cell(how.length > 0 ? `${reason} (${how.join(', ')})` : reason)];
}
