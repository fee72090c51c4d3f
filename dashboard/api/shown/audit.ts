// An entry of the audit stream as the API shows it.
import { VERDICTS } from '../../../core/verdict.ts';
import type { AuditEntry } from '../../../queue/acts.ts';
import { isRecord } from '../../../core/json.ts';
import type { AuditEntryShown } from '../contract/audit.ts';
import { choice, count, line, number } from './sure.ts';

const MAX_NAME = 300;
const MAX_REASON = 1000;
const MAX_FILTER = 2000;

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
    ...line('filter', given.filter, MAX_FILTER),
  };
}
