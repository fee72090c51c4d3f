// Numbers, shares and sizes in words. Pure.

const grouped = new Intl.NumberFormat('en-GB');

export const numberWords = (n: number): string => grouped.format(n);

/** @param atLeast the count was bounded: there may be more */
export const countWords = (count: number, atLeast = false): string =>
  atLeast ? `at least ${numberWords(count)}` : numberWords(count);

/** `1 dead letter`, `2 dead letters`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${numberWords(count)} ${count === 1 ? one : many}`;

export const percentWords = (share: number): string =>
  `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0).replace(/\.0$/, '')} %`;

/** `3.2 MB`; decimal, as disks are sold. */
export function byteWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
