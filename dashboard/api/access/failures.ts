// How often an address may present a token that nobody holds. Kept in memory, and bounded: whoever has more addresses
// than that to guess from still guesses among 16 characters or more.
export const MAX_FAILURES = 10;
export const FAILURE_WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

export interface Failures {
  /** @returns ms until this address may try again; 0 for now */
  waitMs(address: string, now: number): number;
  note(address: string, now: number): void;
}

export function countFailures(): Failures {
  const windows = new Map<string, { from: number; count: number }>();
  const current = (address: string, now: number) => {
    const window = windows.get(address);
    return window && now - window.from < FAILURE_WINDOW_MS ? window : undefined;
  };
  return {
    waitMs: (address, now) => {
      const window = current(address, now);
      return window && window.count >= MAX_FAILURES ? window.from + FAILURE_WINDOW_MS - now : 0;
    },
    note: (address, now) => {
      const window = current(address, now) ?? { from: now, count: 0 };
      window.count += 1;
      // Put at the end: the oldest go first.
      windows.delete(address);
      windows.set(address, window);
      for (const oldest of windows.keys()) {
        if (windows.size <= MAX_ADDRESSES) break;
        windows.delete(oldest);
      }
    },
  };
}
