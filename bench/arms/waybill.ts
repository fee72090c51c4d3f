// E: what a user of Waybill starts, with everything on: validation, journal, metrics, a credential, and a log line for each
// attempt that goes to a file, since the arm's standard output does.
import { createQueue } from '../../producer/index.ts';
import { createWorker } from '../../worker/index.ts';
import type { Task } from '../kernel/bench.ts';
import { inBulks } from './bullmq.ts';
import { arrive } from './open-loop.ts';
import { type Send, TOKEN } from './send.ts';

export const DESTINATION = 'bench';
const [PREFIX = '', CREDENTIAL = ''] = TOKEN.split(/(?<= )/);

export async function fill({ redisUrl, count }: Task): Promise<void> {
  const queue = createQueue(DESTINATION, { connection: redisUrl });
  await inBulks(count, async (sends) => {
    for (const answer of await queue.addBulk(sends.map(itemOf))) if ('error' in answer) throw answer.error;
  });
  await queue.close();
}

export const itemOf = (send: Send) => ({
  name: 'send' as const,
  data: { method: 'POST' as const, ...send },
});

export async function produce(task: Task): Promise<number> {
  const queue = createQueue(DESTINATION, { connection: task.redisUrl });
  await queue.waitUntilReady();
  const firstAtMs = await arrive(task, (send) => {
    const { name, data } = itemOf(send);
    return queue.add(name, data);
  });
  await queue.close();
  return firstAtMs;
}

/** @param task params.retry: over the destination's defaults; params.without: `log` or `metrics` */
export async function work({ redisUrl, upstreamUrl, concurrency, params }: Task): Promise<void> {
  const destination = {
    baseUrl: upstreamUrl,
    concurrency,
    auth: { header: 'authorization', env: 'CREDENTIAL', prefix: PREFIX },
    ...(params.retry !== undefined && { retry: params.retry as object }),
  };
  await createWorker(
    {
      redis: { url: redisUrl },
      ...(params.without !== 'metrics' && { health: { port: 0 } }),
      ...(params.without === 'log' && { log: { level: 'error' } }),
      destinations: { [DESTINATION]: destination },
    },
    { env: { CREDENTIAL } },
  );
}
