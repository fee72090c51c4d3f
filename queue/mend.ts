// Corrupt jobs: what stands in Redis may be anything, and BullMQ's fetch throws over it, again and again.
import type { JobJson } from 'bullmq';
import { DAMAGED_JOURNAL } from '../core/journal.ts';
import { isRecord } from '../core/json.ts';

const COUNT = /^(?:0|[1-9]\d{0,14})$/;
const isCount = (text: string): boolean => COUNT.test(text);

/** Fields of a job's hash that BullMQ parses, or that its scripts raise, and what they are emptied to. */
const PARSED: Record<string, { empty: string; good: (text: string) => boolean }> = {
  opts: { empty: '{}', good: (text) => isJson(text, isRecord) },
  // Not an empty journal: that would say that nothing was sent.
  progress: { empty: DAMAGED_JOURNAL, good: (text) => text === '0' || isJson(text, () => true) },
  // A script that cannot raise a count ends half-way. The count of starts is raised before a job is read: stalled.ts.
  atm: { empty: '0', good: isCount },
  priority: { empty: '0', good: isCount },
  stc: { empty: '0', good: isCount },
  // A job that lost its parent has none.
  parent: {
    empty: '',
    good: (text) =>
      isJson(text, (value) => isRecord(value) && typeof value.id === 'string' && typeof value.queueKey === 'string'),
  },
};

/**
 * Empties the fields that BullMQ could not read.
 * @param hash a job's hash as HGETALL gives it, field after field; mended in place
 * @returns what was changed; '' for a field that must go
 */
export function mendHash(hash: unknown): Record<string, string> {
  const mended: Record<string, string> = {};
  if (!Array.isArray(hash)) return mended;
  for (let i = 0; i + 1 < hash.length; i += 2) {
    const field = String(hash[i]);
    const rule = Object.hasOwn(PARSED, field) ? PARSED[field] : undefined;
    if (rule && !rule.good(String(hash[i + 1]))) hash[i + 1] = mended[field] = rule.empty;
  }
  return mended;
}

/** A job that BullMQ can hold, whatever its data is; take() reads the raw text. */
export function parseable(json: JobJson): JobJson {
  try {
    JSON.parse(json.data || '{}');
    return json;
  } catch {
    return { ...json, data: '{}' };
  }
}

function isJson(text: string, good: (value: unknown) => boolean): boolean {
  try {
    return good(JSON.parse(text));
  } catch {
    return false;
  }
}
