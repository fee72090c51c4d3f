// Results as Markdown: for standard output, and for docs/performance.md between the marks `<!-- NAME -->` and `<!-- /NAME -->`.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Bound, Figure, Safety } from './bench.ts';
import { type Judged, shown, type Spread } from './figures.ts';
import type { Result } from './result.ts';
import type { Table } from './rounds.ts';

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const SAFETIES: Record<Safety, string> = {
  everysec: 'Stored within a second (`appendfsync everysec`; PostgreSQL: `synchronous_commit off`)',
  always: 'Stored before it is answered (`appendfsync always`; PostgreSQL: `synchronous_commit on`)',
};

export function markdown(bench: Bench, result: Result): string {
  const parts = result.tables.flatMap((one) => [
    ...(result.tables.length > 1 ? [`**${SAFETIES[one.safety]}**`] : []),
    figures(bench, one),
    ...(one.ratios.length > 0 ? [ratios(one.ratios)] : []),
    ...one.failures.map(({ arm, round, why }) => `Round ${round + 1} of ${arm} failed: ${why.split('\n')[0]}`),
  ]);
  return [...parts, circumstances(result)].join('\n\n');
}

/** A table of more columns is not read any more. */
const MOST_COLUMNS = 8;

function figures(bench: Bench, { arms }: Table): string {
  const shownOnes = bench.figures.filter(({ name }) => arms.some((arm) => arm.figures[name]));
  const grid = [
    ['', ...shownOnes.map(({ title }) => title)],
    ...arms.map((arm) => [
      `${arm.name} ${arm.title}`,
      ...shownOnes.map((figure) => spread(arm.figures[figure.name], figure)),
    ]),
  ];
  const [head = [], ...rows] = shownOnes.length < MOST_COLUMNS ? grid : turned(grid);
  return table(head, rows);
}

const turned = (grid: readonly string[][]): string[][] =>
  (grid[0] ?? []).map((_, column) => grid.map((row) => row[column] ?? ''));

const ratios = (judged: readonly Judged[]): string =>
  table(
    ['', '', 'measured', 'must', 'stretch', 'reached'],
    judged.map((one) => [
      one.what,
      one.to === undefined ? one.of : `${one.of} ÷ ${one.to}`,
      spread(one, { places: 2 }),
      bound(one.must),
      bound(one.stretch),
      one.reached ?? '',
    ]),
  );

function spread(of: Spread | undefined, as: Pick<Figure, 'places' | 'times'>): string {
  if (!of) return '–';
  const range = of.rounds.length > 1 ? ` (${shown(of.min, as)}–${shown(of.max, as)})` : '';
  return shown(of.median, as) + range;
}

function bound(of: Bound | undefined): string {
  if (!of) return '';
  return 'atMost' in of ? `≤ ${of.atMost}` : `≥ ${of.atLeast}`;
}

function circumstances({ at, commit, rounds, quick, machine }: Result): string {
  const packages = Object.entries(machine.packages).map((entry) => entry.join(' '));
  return (
    `${rounds === 1 ? 'One round' : `Median (least–most) of ${rounds} rounds`}${quick ? ', counts too small to be quoted' : ''}; ${at.slice(0, 10)}, commit ${commit}, ` +
    `${machine.cores} cores (${machine.processor}), Node ${machine.node.slice(1)}, Redis ${machine.redis}, ${machine.postgres ? `PostgreSQL ${machine.postgres.split(' ')[0]}, ` : ''}${packages.join(', ')}.`
  );
}

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @returns the page with what stands between the marks made anew, and the names that have no mark there */
export function withTables(page: string, made: Record<string, string>): { page: string; unmarked: string[] } {
  const unmarked: string[] = [];
  let text = page;
  for (const [name, content] of Object.entries(made)) {
    const marks = new RegExp(`(<!-- ${name} -->\\n).*?(<!-- /${name} -->)`, 's');
    if (!marks.test(text)) unmarked.push(name);
    text = text.replace(marks, (_all, open: string, end: string) => `${open}\n${content}\n\n${end}`);
  }
  return { page: text, unmarked };
}

/** @returns the names that have no mark in the page */
export async function writeTables(made: Record<string, string>): Promise<string[]> {
  const { page, unmarked } = withTables(await readFile(PAGE, 'utf8'), made);
  await writeFile(PAGE, page);
  return unmarked;
}
