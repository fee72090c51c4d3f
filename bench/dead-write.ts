// Dead writes as they may be found anywhere: the n-th of many, of 100 kinds in turn.
import { createHash } from 'node:crypto';
import type { Death } from './bury.ts';

const KINDS = 100;
export const MINUTE_MS = 60_000;
/** However many they are, they died in this time. */
export const SPAN_MS = 30 * MINUTE_MS;

export const bornAt = Date.now() - 86_400_000;

const timeOf = (n: number, size: number): number => bornAt + Math.floor((n * SPAN_MS) / size);

/** Bears its number, and looks like any other. */
export const uuid = (n: number): string => {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
export const requestIdOf = (n: number): string => `req_${uuid(-1 - n)}`;

/**
 * The n-th dead write of `size`, of 100 kinds in turn, which make 64 classes: an opt-in with a body of 120 bytes, sent once, answered with an
 * envelope of code, message, request_id and mostly details, as the worker records it.
 */
export function death(n: number, size: number): Death {
  const kind = n % KINDS;
  const isUnavailable = kind % 4 === 3;
  const status = [400, 404, 422, 503][kind % 4] as number;
  const because = isUnavailable ? 'HTTP 503; attempt 1 of 1 was the last' : `HTTP ${status} is not retried`;
  const code = `INVALID_VALUE_${kind % 20}`;
  const message = 'phone_number must be a valid E.164 number.';
  const details = kind % 3 > 0 ? { field: `field_${kind % 3}` } : undefined;
  const requestId = requestIdOf(n);
  return {
    key: uuid(n),
    at: timeOf(n, size),
    reason: isUnavailable ? 'exhausted' : 'rejected',
    because,
    generation: kind % 25 === 24 ? 1 : 0,
    path: '/v1/subscriptions/opt-in',
    body: JSON.stringify({
      phone_number: `+45${10_000_000 + n}`,
      list_id: 'newsletter',
      channel: 'sms',
      locale: 'da-DK',
      consent_at: new Date(bornAt + n * 1000).toISOString(),
    }),
    attempts: [
      {
        status,
        code,
        evidence: isUnavailable ? 'doubt' : 'not-applied',
        requestId,
        worker: 'sms-worker-1-3f2a',
        because,
        envelope: { code, message, ...(details && { details: JSON.stringify(details) }) },
        body: JSON.stringify({ code, message, request_id: requestId, ...(details && { details }) }),
      },
    ],
  };
}
