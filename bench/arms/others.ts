// Writes that stand beside those that are measured, under keys of their own.
import { createQueue } from '../../producer/index.ts';
import type { Task } from '../kernel/bench.ts';
import { inBulks } from './bullmq.ts';
import { DESTINATION, itemOf } from './waybill.ts';

/** @param task params.delayMs: none when left out */
export async function fill({ redisUrl, count, params }: Task): Promise<void> {
  const queue = createQueue(DESTINATION, { connection: redisUrl });
  const opts = params.delayMs === undefined ? {} : { delay: Number(params.delayMs) };
  await inBulks(count, async (sends) => {
    const items = sends.map((send) => ({
      ...itemOf({ ...send, idempotencyKey: `other-${send.idempotencyKey}` }),
      opts,
    }));
    for (const answer of await queue.addBulk(items)) if ('error' in answer) throw answer.error;
  });
  await queue.close();
}

export { work } from './waybill.ts';
