// What may be said about a write when it is added, beside the write itself. Options of BullMQ that would break a
// promise are refused by name.
import { WaybillError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { checkIdempotencyKey, checkMaxAttempts, checkTime, MAX_DELAY_MS, MAX_PRIORITY } from '../core/write.ts';

export interface AddOptions {
  /** Milliseconds from now until the first attempt may start. */
  delay?: number;
  /** 1 (first) to 2 097 151; writes without one go before all of them. */
  priority?: number;
  /** Overrides the destination's maxAttempts, the first attempt included. */
  maxAttempts?: number;
  /** A Date or epoch ms after which the write is not sent any more; it is dead as `too-late` then. */
  expiresAt?: Date | number;
  /** As in the payload. */
  idempotencyKey?: string;
}

const OPTIONS = ['delay', 'priority', 'maxAttempts', 'expiresAt', 'idempotencyKey'];
/** Options of BullMQ's that are refused, and what to use in their place. */
const REFUSED: Record<string, string> = {
  jobId: 'it is made from the idempotency key; give idempotencyKey',
  attempts: 'give maxAttempts',
  backoff: "the back-off is the destination's, set in the worker's configuration",
  removeOnComplete: 'a delivered write is kept as long as its key lives',
  removeOnFail: 'a dead write is kept until its dead letter leaves',
  parent: 'a write cannot wait for others',
  repeat: 'every write needs its own idempotency key',
  deduplication: 'the idempotency key does it, for longer',
  lifo: 'writes go first in, first out; give priority',
  timestamp: 'the time of adding is the clock’s',
};

/** @throws WaybillError INVALID_WRITE, its field `options.<name>` */
export function checkOptions(opts: unknown): {
  delay?: number;
  priority?: number;
  maxAttempts?: number;
  expiresAt?: number;
  idempotencyKey?: string;
} {
  if (opts === undefined) return {};
  const refuse = (field: string, why: string): never => {
    throw new WaybillError('INVALID_WRITE', `options.${field}: ${why}`, { field: `options.${field}` });
  };
  if (!isRecord(opts)) throw new WaybillError('INVALID_WRITE', 'options: must be an object', { field: 'options' });
  for (const [name, value] of Object.entries(opts)) {
    if (OPTIONS.includes(name) || value === undefined) continue;
    refuse(
      name.slice(0, 80),
      `is refused, as it would break a promise; ${Object.hasOwn(REFUSED, name) ? REFUSED[name] : `allowed are ${OPTIONS.join(', ')}`}`,
    );
  }
  const { delay, priority, maxAttempts, expiresAt, idempotencyKey } = opts;
  const whole = (field: string, value: unknown, low: number, high: number): number =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? (value as number)
      : refuse(field, `must be a whole number from ${low} to ${high}`);
  return {
    ...(delay !== undefined && { delay: whole('delay', delay, 0, MAX_DELAY_MS) }),
    ...(priority !== undefined && { priority: whole('priority', priority, 1, MAX_PRIORITY) }),
    ...(maxAttempts !== undefined && { maxAttempts: checkMaxAttempts(maxAttempts, 'options.maxAttempts') }),
    ...(expiresAt !== undefined && { expiresAt: checkTime(expiresAt, 'options.expiresAt') }),
    ...(idempotencyKey !== undefined && {
      idempotencyKey: checkIdempotencyKey(idempotencyKey, 'options.idempotencyKey'),
    }),
  };
}
