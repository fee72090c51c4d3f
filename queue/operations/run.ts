// Runs the bulk operations of all destinations: in every dashboard process. Which of them has an operation is settled by
// a lease; when a process dies, another goes on where it was.
import { setTimeout } from 'node:timers/promises';
import type { Reader } from '../reader.ts';
import { within } from '../within.ts';
import { each } from './each.ts';
import { drive, type Driving } from './drive.ts';
import { indexKeys } from './keys.ts';
import { trimOperations } from './trim.ts';

export interface RunnerOptions {
  reader: Reader;
  /** All destinations when left out. */
  only?: readonly string[];
  /** Told once of an outage, and of items that failed. */
  onError?: (error: Error) => void;
  /** Between two looks for work. */
  intervalMs?: number;
  leaseMs?: number;
  stepWaitMs?: number;
}

const INTERVAL_MS = 1000;
const LEASE_MS = 15_000;
/** How long the writes of a canary step are waited for. */
const STEP_WAIT_MS = 10 * 60_000;
const TRIM_EVERY_MS = 10 * 60_000;
/** What is under way then goes on elsewhere once its lease has run out. */
const CLOSE_WITHIN_MS = 5000;
const BACK_OFF_MAX_MS = 5000;

/** @returns close(): ends after the items that are under way, within 5 s */
export function runOperations({
  reader,
  only,
  onError = () => {},
  intervalMs = INTERVAL_MS,
  leaseMs = LEASE_MS,
  stepWaitMs = STEP_WAIT_MS,
}: RunnerOptions): { close(): Promise<void> } {
  const stop = new AbortController();
  const { signal: stopped } = stop;
  const driving: Driving = { reader, intervalMs, leaseMs, stepWaitMs, onError, stopped };
  const driven = new Map<string, Promise<void>>();

  const names = async (): Promise<readonly string[]> => only ?? (await reader.destinations());
  const look = async (): Promise<void> => {
    await each(await names(), async (destination) => {
      for (const id of await reader.client.smembers(indexKeys(destination).live)) {
        if (stopped.aborted) return;
        if (driven.has(id)) continue;
        const done = drive(driving, destination, id)
          .catch((error: unknown) => onError(error as Error))
          .finally(() => driven.delete(id));
        driven.set(id, done);
      }
    });
  };
  const trim = async (): Promise<void> => {
    await each(await names(), async (destination) => void (await trimOperations(reader, destination)));
  };
  const loop = async (): Promise<void> => {
    let outage = 0;
    let trimAt = 0;
    while (!stopped.aborted) {
      try {
        if (performance.now() >= trimAt) {
          trimAt = performance.now() + TRIM_EVERY_MS;
          await trim();
        }
        await look();
        outage = 0;
      } catch (error) {
        if (outage === 0 && !stopped.aborted) onError(error as Error);
        outage += 1;
      }
      const pauseMs = Math.min(intervalMs * 2 ** Math.min(outage, 10), Math.max(intervalMs, BACK_OFF_MAX_MS));
      await setTimeout(pauseMs, undefined, { signal: stopped, ref: false }).catch(() => {});
    }
  };
  const looping = loop();
  return {
    close: async () => {
      stop.abort();
      await within(CLOSE_WITHIN_MS, Promise.all([looping, ...driven.values()]));
    },
  };
}
