// Spans of time as a person reads them: one unit, rounded down.

/** `12 s`, `5 m`, `3 h`, `41 d`. */
export function inWords(spanMs: number): string {
  const seconds = Math.floor(Math.max(0, spanMs) / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `in 3 h`, `5 m ago`. @param now epoch ms */
export const fromNow = (at: number, now: number): string =>
  at > now ? `in ${inWords(at - now)}` : `${inWords(now - at)} ago`;
