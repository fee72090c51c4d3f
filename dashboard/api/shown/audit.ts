// An entry of the audit stream as the API shows it.
import { VERDICTS } from '../../../core/verdict.ts';
import type { AuditEntry } from '../../../queue/acts.ts';
import { isRecord } from '../../../core/json.ts';
import type { AuditEntryShown } from '../contract/audit.ts';
import { choice, count, line, number } from './sure.ts';

const MAX_NAME = 300;
const MAX_REASON = 1000;
const MAX_FILTER = 2000;

/** A filter as it was written down, in the words of the API's own query. */
function filterAsked(written: unknown): string | undefined {
  if (typeof written !== 'string') return undefined;
  const asked = [...new URLSearchParams(written.slice(0, MAX_FILTER))].map(([name, value]): [string, string] => {
    if (name === 'text') return ['q', value];
    return name === 'replayed' ? [name, value === 'true' ? 'yes' : 'no'] : [name, value];
  });
  return new URLSearchParams(asked).toString();
}

export function auditShown(entry: AuditEntry): AuditEntryShown {
  const given: Record<string, unknown> = { ...entry };
  const { newKey } = given;
  return {
    destination: entry.destination,
    entry: entry.entry,
    act: entry.act,
    at: count(entry.at),
    by: line('by', entry.by, MAX_NAME).by ?? '?',
    ...line('reason', given.reason, MAX_REASON),
    ...line('letter', given.letter, MAX_NAME),
    ...line('jobId', given.jobId, MAX_NAME),
    ...choice('verdict', given.verdict, VERDICTS),
    ...number('generation', given.generation),
    ...(isRecord(newKey) && {
      newKey: {
        idempotencyKey: line('key', newKey.idempotencyKey, MAX_NAME).key ?? '?',
        jobId: line('id', newKey.jobId, MAX_NAME).id ?? '?',
      },
    }),
    ...(given.edited === true && { edited: true as const }),
    ...(given.doubleAccepted === true && { doubleAccepted: true as const }),
    ...line('operation', given.operation, MAX_NAME),
    ...number('count', given.count),
    ...line('filter', filterAsked(given.filter), MAX_FILTER),
  };
}
