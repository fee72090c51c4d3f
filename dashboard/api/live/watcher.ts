// Looks at Redis for everybody who listens at this process: once a second, and only while somebody does. What another
// process of the dashboard, a worker or the terminal has done stands in Redis, and so is seen here too.
import { setTimeout as sleep } from 'node:timers/promises';
import { readPulse } from '../../../queue/pulse.ts';
import type { Reader } from '../../../queue/reader.ts';
import type { Changed } from '../contract/events.ts';

type Marks = Omit<Changed, 'now'>;
type Listener = (told: Changed | 'away') => void;

export interface Watcher {
  /**
   * Tells how things stand, then each change; `away` once when Redis stops answering, and how things stand when it is back.
   * @returns what ends it
   */
  listen(listener: Listener): () => void;
  close(): Promise<void>;
}

/** So many destinations are looked at at once. */
const AT_ONCE = 20;

export function createWatcher(reader: () => Promise<Reader>, everyMs: number): Watcher {
  const listeners = new Set<Listener>();
  const ended = new AbortController();
  let last: Changed | 'away' | undefined;
  let known = '';
  let watching: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const marks = await readMarks(await reader());
    const text = JSON.stringify(marks);
    if (text === known) return;
    known = text;
    tell({ ...marks, now: Date.now() });
  };
  const tell = (told: Changed | 'away'): void => {
    last = told;
    for (const listener of listeners) listener(told);
  };
  const watch = async (): Promise<void> => {
    while (listeners.size > 0 && !ended.signal.aborted) {
      await look().catch(() => {
        // When it is back, everything may be another.
        known = '';
        if (last !== 'away') tell('away');
      });
      await sleep(everyMs, undefined, { signal: ended.signal, ref: false }).catch(() => {});
    }
    known = '';
    last = undefined;
    watching = undefined;
  };

  return {
    listen: (listener) => {
      listeners.add(listener);
      if (last) listener(last);
      watching ??= watch();
      return () => void listeners.delete(listener);
    },
    close: async () => {
      ended.abort();
      listeners.clear();
      await watching;
    },
  };
}

async function readMarks(reader: Reader): Promise<Marks> {
  const names = await reader.destinations();
  const marks: Marks = { destinations: {}, operations: {} };
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE);
    const pulses = await Promise.all(some.map((name) => readPulse(reader, name)));
    for (const [i, { operations, ...pulse }] of pulses.entries()) {
      marks.destinations[some[i] ?? ''] = pulse;
      Object.assign(marks.operations, operations);
    }
  }
  return marks;
}
