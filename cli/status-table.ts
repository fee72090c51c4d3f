// The rows of `waybill status` for a person: narrow enough for a terminal, all of it with --wide.
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { retentionOf } from '../core/config.ts';
import type { DestinationStatus } from '../queue/status.ts';
import { inWords } from './age.ts';
import { layOut } from './output.ts';

type Retention = ReturnType<typeof retentionOf>;

export interface StatusRow extends DestinationStatus {
  /** Where the destination is configured here. */
  retention?: Retention;
  /** What the tombstones will weigh when the present rate has gone on for as long as they are kept. */
  tombstoneBytesProjected?: number;
}

/** What the configuration adds to a row. */
export function projected(
  row: DestinationStatus,
  retention: Retention,
): Pick<StatusRow, 'retention' | 'tombstoneBytesProjected'> {
  const { tombstoneBytes, delivered, deliveredLately, deliveredLatelyMs } = row;
  if (tombstoneBytes === undefined || delivered === 0) return { retention };
  // Shorter than the span that was counted, they are gone before its end.
  const spanMs = Math.min(deliveredLatelyMs, retention.deliveredMs);
  const kept = (deliveredLately * retention.deliveredMs) / spanMs;
  return { retention, tombstoneBytesProjected: Math.round((tombstoneBytes / delivered) * kept) };
}

/** @param stream decides on colour */
export function statusTable(rows: readonly StatusRow[], wide: boolean, stream: Writable): string {
  const red = (text: string): string => styleText('red', text, { stream });
  const columns: [string, (row: StatusRow) => string][] = [
    ['destination', ({ destination }) => destination],
    ['workers', ({ workers }) => (workers === 0 ? red('none') : String(workers))],
    ['waiting', ({ waiting }) => String(waiting)],
    ['oldest', ({ oldestWaitingMs }) => age(oldestWaitingMs)],
    ['active', ({ active }) => String(active)],
    ['retrying', (row) => atLeast(row, row.retrying)],
    ...(wide || rows.some(({ scheduled }) => scheduled > 0) ? [SCHEDULED] : []),
    ['delivered', ({ delivered }) => String(delivered)],
    ['dead', ({ dead }) => (dead > 0 ? red(String(dead)) : '0')],
    ['discarded', ({ discarded }) => String(discarded)],
    ['tombstones', ({ tombstoneBytes }) => bytes(tombstoneBytes)],
    ...(wide ? WIDE : []),
    ['', ({ paused }) => (paused ? 'paused' : '')],
  ];
  return layOut([columns.map(([name]) => name), ...rows.map((row) => columns.map(([, cell]) => cell(row)))]);
}

/** Takes a column only where there is one. */
const SCHEDULED: [string, (row: StatusRow) => string] = ['scheduled', (row) => atLeast(row, row.scheduled)];

const WIDE: [string, (row: StatusRow) => string][] = [
  ['at this rate', ({ tombstoneBytesProjected }) => bytes(tombstoneBytesProjected)],
  ['oldest dead', ({ oldestDeadMs }) => age(oldestDeadMs)],
  ['replayed', ({ replayed }) => String(replayed)],
  ['delivered kept', ({ retention }) => age(retention?.deliveredMs)],
  ['dead kept', ({ retention }) => (retention ? `${age(retention.deadMs)} or ${retention.deadMax}` : '-')],
  ['handled kept', ({ retention }) => age(retention?.handledMs)],
  ['trimmed dead', ({ trimmedDead }) => String(trimmedDead)],
];

const age = (spanMs: number | undefined): string => (spanMs === undefined ? '-' : inWords(spanMs));

/** Of many delayed ones only the first were looked at. */
const atLeast = ({ delayed, delayedLookedAt }: StatusRow, count: number): string =>
  delayed > delayedLookedAt ? `${count} or more` : String(count);

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `812 B`, `4.1 MB`; of 1024. */
function bytes(count: number | undefined): string {
  if (count === undefined) return '-';
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
