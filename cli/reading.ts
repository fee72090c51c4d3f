// The commands that only read: a Reader for as long as one of them runs.
import { Reader } from '../queue/reader.ts';
import type { Io } from './io.ts';
import { type GlobalFlags, loadConfig } from './settings.ts';

export interface ReadingFlags extends GlobalFlags {
  destination?: string;
}

/** @throws WaybillError INVALID_CONFIG, QUEUE_UNAVAILABLE */
export async function withReader<T>(io: Io, flags: GlobalFlags, read: (reader: Reader) => Promise<T>): Promise<T> {
  io.endWithReader();
  const { redis } = await loadConfig(io, flags);
  const reader = await Reader.open(redis);
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

/** `2026-11-22T17:01:02.345Z`; a time that is none, in data that somebody else has changed, is told as such. */
export function isoTime(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '(no time)' : time.toISOString();
}
