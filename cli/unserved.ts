// Before writes are sent, and while their answers are waited for: at which destinations nobody would send them.
import type { Reader } from '../queue/reader.ts';
import { isRefusal } from '../queue/unavailable.ts';

/** Between two looks while answers are awaited. */
const LOOK_EVERY_MS = 3000;

interface Watched {
  /** The destinations whose answers are awaited just then. */
  awaited: () => Iterable<string>;
  /** The lines that a person has read already; it grows. */
  told: Set<string>;
  tell: (line: string) => void;
  everyMs?: number;
}

/**
 * Tells what `unserved` says of those that are awaited, each line once. A look that fails is silent: whoever waits for
 * the answers tells of a Redis that is away.
 * @returns what ends it; from then on nothing is told
 */
export function watchUnserved(reader: Reader, { awaited, told, tell, everyMs = LOOK_EVERY_MS }: Watched): () => void {
  const over = new AbortController();
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    const lines = await unserved(reader, awaited(), over.signal).catch(() => []);
    isLooking = false;
    for (const line of lines) {
      if (over.signal.aborted || told.has(line)) continue;
      told.add(line);
      tell(line);
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => {
    clearInterval(timer);
    over.abort();
  };
}

/** One line for each of these destinations that is paused, or that no worker serves. @param stop ends it, with less */
export async function unserved(reader: Reader, destinations: Iterable<string>, stop?: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for (const destination of new Set(destinations)) {
    if (stop?.aborted) break;
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
