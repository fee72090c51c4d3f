// Values of flags as commander reads them: each says what is allowed when it is something else.
import { InvalidArgumentError } from 'commander';
import { parseIsoTime } from './iso-time.ts';

const UNITS_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_RATE = 10_000;

export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

/** `90s`, `15m`, `2h`, `7d`. @returns ms */
export function duration(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS_MS[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('It must be a number and a unit: 90s, 15m, 2h or 7d.');
}

/** The same, up to a bound. */
export const durationUpTo =
  (maxMs: number, inWords: string) =>
  (text: string): number => {
    const ms = duration(text);
    if (ms <= maxMs) return ms;
    throw new InvalidArgumentError(`It must be ${inWords} at most.`);
  };

/** A span as it is read otherwise, or `0`, with or without a unit. */
export const noneOr =
  (read: (text: string) => number) =>
  (text: string): number =>
    /^0[smhd]?$/.test(text) ? 0 : read(text);

/** A share, 0 to 1. */
export function share(text: string): number {
  const value = /^(?:0|1)(?:\.\d{1,6})?$/.test(text) ? Number(text) : NaN;
  if (value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

/** @returns epoch ms */
export function isoInstant(text: string): number {
  const at = parseIsoTime(text);
  if (at !== undefined) return at;
  throw new InvalidArgumentError('It must be an ISO time with its zone, such as 2026-11-22T17:01:02Z, that exists.');
}

/** So many a second; less than one is a fraction. */
export function perSecond(text: string): number {
  const rate = /^\d{1,5}(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (rate > 0 && rate <= MAX_RATE) return rate;
  throw new InvalidArgumentError(
    `It must be a number above 0 and up to ${MAX_RATE}: so many a second, 0.5 is one in 2 s.`,
  );
}

export function textUpTo(max: number): (text: string) => string {
  return (text) => {
    if (text !== '' && text.length <= max) return text;
    throw new InvalidArgumentError(`It must be a text of 1 to ${max} characters.`);
  };
}
