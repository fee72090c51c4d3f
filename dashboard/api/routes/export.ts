// All dead letters that a filter means, as a file: CSV for people, NDJSON for `waybill dead-letters replay --from` and
// for programs. A destination after the other, the oldest first.
import type { DashboardApp, DashboardContext } from '../app.ts';
import { exportQuery } from '../contract/letters.ts';
import type { LetterFilterQuery } from '../contract/filter.ts';
import { isoTime } from '../iso-time.ts';
import { destinationsMeant, type Letter, lettersMeant, type Meant } from '../meant.ts';
import { shownLetter } from '../shown/letter.ts';
import { maskingOf } from '../shown/masking.ts';
import { rowOf } from '../shown/row.ts';
import { STREAM_TYPES, streamOut } from '../stream-out.ts';
import { dataRoute } from './data-route.ts';

const COLUMNS = [
  'destination',
  'id',
  'state',
  'dead_at',
  'enqueued_at',
  'reason',
  'because',
  'verdict',
  'status',
  'code',
  'field',
  'message',
  'request_id',
  'method',
  'path',
  'attempts',
  'generation',
  'idempotency_key',
  'key_usable_until',
  'handled',
  'handled_at',
  'handled_by',
  'handled_why',
  'unreadable',
] as const;

export function exportRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'exportLetters',
    {
      summary: 'Every dead letter that is meant; a file that breaks off is not whole',
      query: exportQuery,
      contentTypes: Object.values(STREAM_TYPES),
    },
    async ({ query: { format, ...filter }, reader, reply }) => {
      const now = await reader.now();
      // What dies meanwhile is not meant: otherwise an export beside an outage would never end.
      const query: LetterFilterQuery =
        filter.state === 'open' ? { ...filter, before: Math.min(filter.before ?? Infinity, now) } : filter;
      const names = await destinationsMeant({ config, reader }, filter.destination);
      return streamOut<Letter>(reply, {
        format,
        fileName: `dead-letters-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}`,
        rows: (signal) => all({ config, reader, query, signal }, names),
        documentOf: (letter) => shownLetter(letter, maskingOf(config, letter.destination)),
        columns: COLUMNS,
        cellsOf: (letter) => cellsOf(letter, context),
      });
    },
  );
}

async function* all(meant: Meant, names: readonly string[]): AsyncGenerator<Letter> {
  for (const destination of names) yield* lettersMeant(meant, destination);
}

function cellsOf(letter: Letter, { config }: DashboardContext): (string | number | undefined)[] {
  const row = rowOf(letter, maskingOf(config, letter.destination));
  const { handled } = row;
  return [
    row.destination,
    row.id,
    row.state,
    isoTime(row.deadAt),
    isoTime(row.enqueuedAt),
    row.reason,
    row.because,
    row.verdict,
    row.status,
    row.code,
    row.field,
    row.message,
    row.requestId,
    row.method,
    row.path,
    row.attempts,
    row.generation,
    row.idempotencyKey,
    isoTime(row.keyUsableUntil),
    handled?.act,
    isoTime(handled?.at),
    handled?.by,
    handled?.reason,
    row.unreadable,
  ];
}
