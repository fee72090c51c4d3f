// Arrivals by a schedule that waits for nobody: what comes late is counted from when it was due, so that a queue that
// falls behind cannot hide it. A thread keeps the time: timers of a busy event loop would not, and spinning would cost a core.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Task } from '../kernel/bench.ts';
import { type Send, sendOf } from './send.ts';

export interface Schedule {
  /** Number of the first one. */
  from: number;
  count: number;
  perSecond: number;
}

const LEAD_MS = 200;

/** The machine's monotonic clock, the same in all processes. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** @param add enqueues one @returns when the first one was due, ms of that clock, once all are added */
export async function arrive({ params }: Task, add: (send: Send) => Promise<unknown>): Promise<number> {
  const schedule = params.schedule as Schedule;
  const firstAtMs = nowMs() + LEAD_MS;
  const thread = new Worker(new URL(import.meta.url), { workerData: { ...schedule, firstAtMs } });
  const added: Promise<unknown>[] = [];
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (n: number) => {
      const adding = add(sendOf(n));
      adding.catch(reject);
      added.push(adding);
      if (added.length === schedule.count) resolve();
    });
  });
  await Promise.all(added);
  return firstAtMs;
}

if (!isMainThread) {
  const { from, count, perSecond, firstAtMs } = workerData as Schedule & { firstAtMs: number };
  const tell = parentPort?.postMessage.bind(parentPort);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < count; i++) {
    const waitMs = firstAtMs + (i * 1000) / perSecond - nowMs();
    if (waitMs > 0) Atomics.wait(cell, 0, 0, waitMs);
    tell?.(from + i);
  }
}
