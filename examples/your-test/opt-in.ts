// The code under test: what an application does with its queue.
import type { WriteJob, WriteQueue } from 'waybill';

/** Enqueues the opt-in of an order. Asked again for the same order, it answers with the same write. */
export function optIn(queue: WriteQueue, order: { id: string; phone: string }): Promise<WriteJob> {
  return queue.add(
    'send',
    { method: 'POST', path: '/v1/subscriptions/opt-in', body: { phone_number: order.phone } },
    { idempotencyKey: `opt-in-${order.id}` },
  );
}
