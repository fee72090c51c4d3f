// One reader for all requests, opened when the first asks for it; opened again where that failed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionInput } from '../../queue/connection.ts';
import { Reader } from '../../queue/reader.ts';

export interface OpenedReader {
  reader: () => Promise<Reader>;
  /** Before anything waits for it once more: a Redis that is away or hangs is given up. */
  giveUpIfSilent: () => Promise<void>;
  close: () => Promise<void>;
}

const ANSWER_WITHIN_MS = 1000;

export function openReader(input: ConnectionInput): OpenedReader {
  let opening: Promise<Reader> | undefined;
  const opened = async (): Promise<Reader | undefined> => opening?.catch(() => undefined);
  return {
    reader: () => {
      opening ??= Reader.open(input).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    giveUpIfSilent: async () => {
      const reader = await opened();
      if (!reader) return;
      const { client } = reader;
      const pong = client.status === 'ready' && client.ping().catch(() => undefined);
      const answer = pong && (await Promise.race([pong, sleep(ANSWER_WITHIN_MS, undefined, { ref: false })]));
      // What still waits for it is rejected, and not left to its own time limit.
      if (answer === false || answer === undefined) client.disconnect();
    },
    close: async () => (await opened())?.close(),
  };
}
