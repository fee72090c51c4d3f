// Who did what, when and why: a page, and all of it as a file.
import { audit, type AuditEntry } from '../../../queue/acts.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { isAsked, pageOfAudit } from '../audit-page.ts';
import { auditExportQuery, auditList, auditQuery } from '../contract/audit.ts';
import { placeIn, writeCursor } from '../cursor.ts';
import { destinationsMeant } from '../meant.ts';
import { auditShown } from '../shown/audit.ts';
import { STREAM_TYPES, streamOut } from '../stream-out.ts';
import { dataRoute } from './data-route.ts';
import { isoTime } from '../iso-time.ts';

const COLUMNS = [
  'at',
  'destination',
  'act',
  'by',
  'reason',
  'letter',
  'job_id',
  'verdict',
  'generation',
  'new_key',
  'edited',
  'double_accepted',
  'operation',
  'count',
  'filter',
  'entry',
] as const;

export function auditRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'audit',
    { summary: 'What was done, the newest first', query: auditQuery, answer: auditList },
    async ({ query: { destination, by, act, cursor, limit }, reader, signal }) => {
      const after = placeIn('audit', cursor);
      const names = await destinationsMeant({ config, reader }, destination);
      const page = await pageOfAudit(reader, names, { by, act }, { after, limit, signal });
      return {
        entries: page.items.map(auditShown),
        ...(page.next && { next: writeCursor('audit', page.next) }),
        now: await reader.now(),
      };
    },
  );
  dataRoute(
    app,
    context,
    'exportAudit',
    {
      summary: 'All of the audit; a file that breaks off is not whole',
      query: auditExportQuery,
      contentTypes: Object.values(STREAM_TYPES),
    },
    async ({ query: { destination, format, ...filter }, reader, reply }) => {
      const names = await destinationsMeant({ config, reader }, destination);
      const now = await reader.now();
      async function* all(signal: AbortSignal): AsyncGenerator<AuditEntry> {
        for (const name of names) {
          for await (const entry of audit(reader, name)) {
            signal.throwIfAborted();
            if (isAsked(entry, filter)) yield entry;
          }
        }
      }
      return streamOut(reply, {
        format,
        fileName: `audit-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}`,
        rows: all,
        documentOf: auditShown,
        columns: COLUMNS,
        cellsOf,
      });
    },
  );
}

function cellsOf(entry: AuditEntry): (string | number | undefined)[] {
  const shown = auditShown(entry);
  return [
    isoTime(shown.at),
    shown.destination,
    shown.act,
    shown.by,
    shown.reason,
    shown.letter,
    shown.jobId,
    shown.verdict,
    shown.generation,
    shown.newKey?.idempotencyKey,
    shown.edited && 'yes',
    shown.doubleAccepted && 'yes',
    shown.operation,
    shown.count,
    shown.filter,
    shown.entry,
  ];
}
