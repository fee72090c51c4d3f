// Stopping a worker: drain, then cut off, then let go. Every wait has a limit. Hooks that run have the same time beside.
import type { Consumer } from '../queue/consumer.ts';
import type { Sender } from './sender.ts';

/** What serves one destination. */
export interface Lane {
  consumer: Consumer;
  sender: Sender;
}

/** After attempts were cut off, how long settling them may take before Redis is let go. */
const FORCED_SETTLE_MS = 3000;

/**
 * @param graceMs how long attempts in flight may take
 * @param force cuts them off at once when it is aborted
 * @returns forced: attempts were cut off; their writes are taken again
 */
export async function stopLanes(
  lanes: readonly Lane[],
  graceMs: number,
  force?: AbortSignal,
): Promise<{ forced: boolean }> {
  const timers: NodeJS.Timeout[] = [];
  let forced = false;
  let draining = true;
  const over = Promise.withResolvers<void>();
  const givenUp = new Promise<false>((resolve) => {
    const cutOff = (): void => {
      over.resolve();
      if (forced || !draining) return;
      forced = true;
      for (const { sender } of lanes) sender.cutOff();
      timers.push(setTimeout(resolve, FORCED_SETTLE_MS, false));
    };
    timers.push(setTimeout(cutOff, graceMs));
    if (force?.aborted) cutOff();
    else force?.addEventListener('abort', cutOff, { once: true });
  });
  const drained = Promise.all(lanes.map(({ consumer }) => consumer.close())).then(() => true as const);
  if (!(await Promise.race([drained, givenUp]))) for (const { consumer } of lanes) consumer.drop();
  draining = false;
  // Who lets go of a hook loses nothing: its write stays noted, and is told again.
  await Promise.race([Promise.all(lanes.map(({ consumer }) => consumer.told())), over.promise]);
  for (const timer of timers) clearTimeout(timer);
  await Promise.all(lanes.map(({ sender }) => sender.close()));
  return { forced };
}
