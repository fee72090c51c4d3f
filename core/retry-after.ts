// The header Retry-After (RFC 9110 §10.2.3): so many seconds, or a date. `undefined`: the API has no opinion.

// The RFC has no decimals; some APIs send them.
const SECONDS = /^\d{1,10}(?:\.\d{1,9})?$/;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
// RFC 9110 §5.6.7: IMF-fixdate, and the two obsolete forms that a recipient must accept.
const IMF_FIXDATE =
  /^\w{3}, (?<day>\d{2}) (?<month>\w{3}) (?<year>\d{4}) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) GMT$/;
const RFC850 =
  /^\w{6,9}, (?<day>\d{2})-(?<month>\w{3})-(?<year>\d{2}) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) GMT$/;
const ASCTIME =
  /^\w{3} (?<month>\w{3}) (?<day>[ \d]\d) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) (?<year>\d{4})$/;

/**
 * How long the API asks to wait.
 * @param value the header's value
 * @param now epoch ms
 * @returns whole milliseconds from now, rounded up; 0 for a date that has passed; undefined when it cannot be read
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (SECONDS.test(text)) return Math.ceil(Number(text) * 1000);
  const until = parseHttpDate(text, now);
  if (until === undefined) return undefined;
  return Math.max(0, until - now);
}

/** @returns epoch ms, or undefined for what is no HTTP-date; two-digit years are read as RFC 9110 §5.6.7 says */
export function parseHttpDate(text: string, now: number): number | undefined {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (!parts) return undefined;
  const month = MONTHS.findIndex((name) => name === parts.month);
  const day = Number(parts.day);
  const hours = Number(parts.hours);
  const minutes = Number(parts.minutes);
  const seconds = Number(parts.seconds);
  if (month < 0 || day < 1 || day > 31 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  let year = Number(parts.year);
  if (String(parts.year).length === 2) {
    const thisYear = new Date(now).getUTCFullYear();
    year += thisYear - (thisYear % 100);
    if (year > thisYear + 50) year -= 100;
  }
  return Date.UTC(year, month, day, hours, minutes, seconds);
}
