// How a bench reports: a table for people on standard output, and bench/results/NAME.json for whoever compares runs.
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';

const RESULTS = new URL('results/', import.meta.url);

export async function report(
  name: string,
  title: string,
  rows: readonly Record<string, number | string>[],
): Promise<void> {
  const machine = {
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(
    `${title}; Node ${machine.node}, ${machine.cores} cores, ${machine.processor}\n\n` +
      line(columns) +
      line(columns.map(() => '--:')) +
      rows.map((row) => line(columns.map((column) => row[column]))).join(''),
  );
  await mkdir(RESULTS, { recursive: true });
  const result = { name, title, at: new Date().toISOString(), machine, rows };
  await writeFile(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, null, 2)}\n`);
}
