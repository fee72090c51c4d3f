// The little Markdown that the generated pages are made of.

/** Says on every generated page where it comes from. */
export const GENERATED = '<!-- Made by `npm run docs` from the code; an edit here is lost. -->';

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inCell).join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

export const code = (text: string): string => `\`${text}\``;

/** A table's cell ends at the next bar, and at the end of the line. */
const inCell = (text: string): string =>
  text
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();

/** A sentence as a page shows it: the first letter large, a full stop at its end. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const ended = /[.:!?`]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.slice(0, 1).toUpperCase() + ended.slice(1);
}
