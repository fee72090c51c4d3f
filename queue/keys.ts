// Every key name that Waybill uses in Redis. A destination's keys share a hash tag, so that on Redis Cluster its
// queue, its dead letters and its lookup rows live in one slot and one script can write them all.

/** Hash of destination name → epoch ms of its first add or worker. */
export const DESTINATIONS_KEY = 'waybill:destinations';

/** BullMQ's `prefix` of a destination. */
export const prefixOf = (destination: string): string => `{waybill:${destination}}`;

/** BullMQ's name of the queue of dead letters. Destination names have no dot, so that it is never a destination. */
export const deadQueueName = (destination: string): string => `${destination}.dead`;

/** `sms.dead` → `sms`: the dead letters' queue and the writes' queue belong to one destination. */
export const destinationOf = (queueName: string): string => queueName.replace(/\.dead$/, '');

/** The dead letter of a write: fixed, so that it can exist once only. */
export const letterId = (jobId: string, generation: number): string => `${jobId}.g${generation}`;

/** `w4…A.g0` → `w4…A`; any other id stays as it is. */
export const jobIdOfLetter = (id: string): string => id.replace(/\.g\d+$/, '');

/** `w4…A.g2` → 2; undefined for the id of no letter. */
export const generationOfLetter = (id: string): number | undefined => {
  const digits = /\.g(\d+)$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** Lookup rows, written by the scripts that retry, dead-letter, replay, discard, restore and trim. */
export const rowKeys = (destination: string): { byTime: string; byRequestId: string; classes: string } => {
  const base = `${prefixOf(destination)}:${destination}.rows`;
  return {
    /** Sorted set: id of each open dead letter by epoch ms of its death. */
    byTime: `${base}:time`,
    /** Hash: request_id → dead letter id, or the job id of a write that is retried. */
    byRequestId: `${base}:request-id`,
    /** Hash: id of each class of open dead letters → its facets. Its letters stand under `classKey`. */
    classes: `${base}:class`,
  };
};

/** Sorted set: the open dead letters of one class, as in the row by time. */
export const classKey = (destination: string, classId: string): string => `${rowKeys(destination).classes}:${classId}`;

/** Stream: what operators, and retention, did to the dead letters of a destination. */
export const auditKey = (destination: string): string => `${prefixOf(destination)}:${destination}.audit`;

/** Hash: when retention last went through a destination, and what it has trimmed so far. */
export const retentionKey = (destination: string): string => `${prefixOf(destination)}:${destination}.retention`;

/** Hash: what went on at a destination in one minute. @param minute minutes since the epoch */
export const minuteKey = (destination: string, minute: number): string =>
  `${prefixOf(destination)}:${destination}.minute:${minute}`;

/** Sorted set: settled writes that the onSettled hook was not told of yet, by epoch ms. */
export const unsaidKey = (destination: string): string => `${prefixOf(destination)}:${destination}.unsaid`;

/** Counter: how often producers asked whether replicas have what they added. Each question writes it first. */
export const replicationKey = (destination: string): string => `${prefixOf(destination)}:${destination}.replication`;

/** The field of a job's hash that holds the payload's hash, beside BullMQ's own fields. */
export const PAYLOAD_HASH_FIELD = 'wbh';

/** The field that holds when the first start began that left no record, epoch ms. */
export const LOST_AT_FIELD = 'wbl';

/** The field that holds the dead letter of another key that a write was replayed from. */
export const ORIGIN_FIELD = 'wbo';

/** The field of a dead letter's hash that holds what was done to it: a JSON act a line. */
export const ACTS_FIELD = 'wba';

/** The field of an open dead letter's hash that holds the id of its class. */
export const CLASS_FIELD = 'wbc';
