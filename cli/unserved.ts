// Before writes are sent and their answers waited for: at which destinations nobody would send them.
import type { Reader } from '../queue/reader.ts';
import { isRefusal } from '../queue/unavailable.ts';
import type { Plan } from './letter-plan.ts';

/** One line for each destination of the plan that is paused, or that no worker serves. */
export async function unserved(reader: Reader, { items }: Pick<Plan, 'items'>): Promise<string[]> {
  const tried = items.flatMap(({ not, destination }) => (not || destination === undefined ? [] : [destination]));
  const lines: string[] = [];
  for (const destination of new Set(tried)) {
    const queue = reader.queue(destination);
    if (await queue.isPaused()) {
      lines.push(`${destination}: it is paused: a probe waits for \`waybill resume ${destination}\``);
      continue;
    }
    // A user of Redis who may not list its clients may act all the same.
    const workers = await queue.getWorkersCount().catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
    });
    if (workers === 0) lines.push(`${destination}: no worker serves it: a probe waits until one does`);
  }
  return lines;
}
