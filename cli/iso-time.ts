// Times as people write them. Date.parse alone moves a day that does not exist, February 30th, into the next month.

const DAY = String.raw`(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
const HOUR = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`;
const ISO_TIME = new RegExp(String.raw`^${DAY}T${HOUR}(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]${HOUR})$`);

/** @param text RFC 3339 with its zone; seconds may be left out @returns epoch ms; undefined for a time that does not exist */
export function parseIsoTime(text: string): number | undefined {
  const [, year, month, day] = ISO_TIME.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCDate() === Number(day) ? Date.parse(text) : undefined;
}
