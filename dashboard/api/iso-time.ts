// Times in files.

/** @param at epoch ms; what is none, since something else wrote it, is left out */
export function isoTime(at: number | undefined): string | undefined {
  const time = new Date(at ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
