// The producer of a soak: a process of its own, so that what it weighs is the queue's and not the oracle's. It repeats a write
// until it is told that it is stored.
import { setTimeout as sleep } from 'node:timers/promises';
import { createQueue } from '../../../producer/index.ts';
import { writeOf } from '../load.ts';
import type { Errand } from '../producer-child.ts';

const AGAIN_MS = 50;
const { CHAOS_REDIS = '', CHAOS_DESTINATION = '' } = process.env;
const queue = createQueue(CHAOS_DESTINATION, { connection: { url: CHAOS_REDIS } });

process.on('message', (errands: Errand[] | { ask: string }) => void (Array.isArray(errands) && run(errands)));
process.on('disconnect', () => process.exit(1));
process.send?.('ready');

async function run(errands: readonly Errand[]): Promise<void> {
  let left = errands;
  while (left.length > 0) {
    const answers = await queue.addBulk(
      left.map(({ key, plan }) => ({ name: 'send' as const, data: writeOf(plan), opts: { idempotencyKey: key } })),
    );
    const isStored = (_: unknown, i: number): boolean => 'job' in (answers[i] ?? {});
    process.send?.({ stored: left.filter(isStored).map(({ key }) => key) });
    left = left.filter((_, i) => !isStored(_, i));
    if (left.length > 0) await sleep(AGAIN_MS);
  }
}
