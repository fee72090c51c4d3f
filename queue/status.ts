// Counts per destination, and who serves it.
import { countLetters } from './dead-letters.ts';
import type { Reader } from './reader.ts';

export interface DestinationStatus {
  destination: string;
  /** Worker connections; 0 shows a typo in a name, or a worker that is not there. */
  workers: number;
  waiting: number;
  active: number;
  /** Scheduled, retrying and postponed. */
  delayed: number;
  delivered: number;
  dead: number;
  paused: boolean;
}

/** @returns one row per destination, sorted by name */
export async function status(reader: Reader, only?: string): Promise<DestinationStatus[]> {
  const rows: DestinationStatus[] = [];
  for (const destination of await reader.destinations(only)) {
    const queue = reader.queue(destination);
    const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'completed');
    rows.push({
      destination,
      workers: await queue.getWorkersCount(),
      waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0),
      active: counts.active ?? 0,
      delayed: counts.delayed ?? 0,
      delivered: counts.completed ?? 0,
      dead: await countLetters(reader, destination),
      paused: await queue.isPaused(),
    });
  }
  return rows;
}
