// What is stored: writes with a body of a certain length, waiting in BullMQ or in Waybill.
import { createQueue } from '../../producer/index.ts';
import type { Task } from '../kernel/bench.ts';
import { jobOf } from './adding.ts';
import { inBulks, openQueue } from './bullmq.ts';
import type { Send } from './send.ts';
import { DESTINATION, itemOf } from './waybill.ts';

/**
 * Memory is given out in steps of up to 128 bytes: bodies of one length would fall on one side of a step or the other, and
 * that would be all one measures. So they are evenly up to half of it shorter or longer.
 */
const STEP_BYTES = 128;

/** @param task params.queue: `bullmq` or `waybill`; params.bodyBytes: their mean */
export async function fill({ redisUrl, count, params }: Task): Promise<void> {
  let n = 0;
  const sized = (send: Send): Send => {
    const bytes = Number(params.bodyBytes) + (n++ % STEP_BYTES) - STEP_BYTES / 2;
    return { ...send, body: bodyOf(send.body, bytes) };
  };
  if (params.queue === 'bullmq') {
    const { queue, close } = openQueue(redisUrl);
    await inBulks(count, (sends) => queue.addBulk(sends.map((send) => jobOf(sized(send)))));
    return close();
  }
  const queue = createQueue(DESTINATION, { connection: redisUrl });
  await inBulks(count, async (sends) => {
    const answers = await queue.addBulk(sends.map((send) => itemOf(sized(send))));
    for (const answer of answers) if ('error' in answer) throw answer.error;
  });
  await queue.close();
}

function bodyOf(text: string, bytes: number): string {
  const body = JSON.parse(text) as { text: string };
  const rest = text.length - body.text.length;
  body.text = 'x'.repeat(bytes - rest);
  return JSON.stringify(body);
}

export { work } from './waybill.ts';
