// Times and durations in words. Pure: the clock and the zone are arguments.
export type Zone = 'utc' | 'local';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** How many of one unit: days, and ten hours or more, to the nearest, so that 90 d do not begin as 89; others are full. */
function countOf(ms: number, name: string, size: number): number {
  const full = Math.floor(ms / size);
  return name === 'd' || (name === 'h' && full >= 10) ? Math.round(ms / size) : full;
}

/** `3 d 4 h`, `12 min`, `4.6 s`, `80 ms`: at most two units. */
export function durationWords(durationMs: number): string {
  const ms = Math.max(0, Math.round(durationMs));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const [name, size] = UNITS[first] ?? UNITS[3];
  const count = Math.floor(ms / size);
  const next = UNITS[first + 1];
  // Above ten of the larger unit the smaller one says nothing.
  if (next === undefined || count >= 10) return `${countOf(ms, name, size)} ${name}`;
  const rest = Math.floor((ms - count * size) / next[1]);
  return rest === 0 ? `${count} ${name}` : `${count} ${name} ${rest} ${next[0]}`;
}

/** `3 min ago`, `in 2 h`, `just now`, `now` of what is to come: one unit, for reading along. */
export function relativeWords(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 5000) return at <= now ? 'just now' : 'now';
  const [name, size] = UNITS.find(([, unitMs]) => distance >= unitMs) ?? UNITS[3];
  const words = `${countOf(distance, name, size)} ${name}`;
  return at < now ? `${words} ago` : `in ${words}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-03 14:05:09`, with `Z` where it is UTC. */
export function absoluteWords(at: number, zone: Zone): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  if (zone === 'utc') return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}

/** `14:05`. */
export const clockWords = (at: number, zone: Zone): string => absoluteWords(at, zone).slice(11, 16);

/** `2026-11-03 14:05`, with `Z` where it is UTC: where seconds say nothing. */
export const minuteWords = (at: number, zone: Zone): string => absoluteWords(at, zone).replace(/:\d\d(Z?)$/, '$1');

/** The value of an `<input type="datetime-local">`. */
export const inputValueOf = (at: number, zone: Zone): string =>
  absoluteWords(at, zone).replace('Z', '').replace(' ', 'T').slice(0, 16);

/** @returns epoch ms, or undefined where the input holds no time */
export function instantOf(inputValue: string, zone: Zone): number | undefined {
  const at = Date.parse(zone === 'utc' ? `${inputValue}Z` : inputValue);
  return Number.isNaN(at) ? undefined : at;
}
