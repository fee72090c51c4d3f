// The tables of docs/reliability.md, made from the results file; what stands between their marks is theirs.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { INVARIANTS, type Invariant } from './judge.ts';
import { type Result, violationsOf } from './run.ts';

const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const NAMES = Object.keys(INVARIANTS) as Invariant[];

const number = (value: number): string => value.toLocaleString('en-GB');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @returns the text of each table by its mark */
export function tables(results: readonly Result[]): Record<string, string> {
  const of = ({ name }: Fault): Result[] => results.filter(({ fault }) => fault === name);
  const ours = FAULTS.filter(({ usual }) => !usual);
  const judged = ours.flatMap(of);
  return {
    faults: table(
      ['fault', 'command', 'times', 'writes', 'sends', 'violations'],
      ours.map((fault) => row(fault, of(fault))),
    ),
    invariants: table(
      ['promise that must not be broken', 'looked at', 'broken'],
      NAMES.map((name) => [
        `${name}: ${INVARIANTS[name]}`,
        number(sum(judged, ({ invariants }) => invariants[name].checked)),
        number(sum(judged, ({ invariants }) => invariants[name].violations)),
      ]),
    ),
    control: table(
      ['control', 'times', 'writes', 'acknowledged, and in no end (I1)', 'in the wrong place, or in two (I2)'],
      FAULTS.filter(({ usual }) => usual).map((fault) => {
        const own = of(fault);
        return [
          fault.title,
          timesOf(fault, own),
          number(sum(own, ({ writes }) => writes)),
          number(sum(own, ({ invariants }) => invariants.I1.violations)),
          number(sum(own, ({ invariants }) => invariants.I2.violations)),
        ];
      }),
    ),
    measured: table(
      ['measured', 'in', 'from', 'to'],
      [...overAll(judged), ...ours.flatMap((fault) => measuredIn(fault, of(fault)))],
    ),
    runs: table(
      ['`--fault`', 'seeds', 'commit', 'date'],
      FAULTS.flatMap((fault) => (of(fault).length === 0 ? [] : [runsOf(fault, of(fault))])),
    ),
    when: whenOf(results.filter(({ fault }) => FAULTS.some(({ name }) => name === fault))),
  };
}

function row(fault: Fault, own: readonly Result[]): string[] {
  return [
    fault.title,
    `\`--fault ${fault.name}\``,
    timesOf(fault, own),
    number(sum(own, ({ writes }) => writes)),
    number(sum(own, ({ sends }) => sends)),
    own.length === 0 ? '' : number(sum(own, violationsOf)),
  ];
}

function timesOf({ published }: Fault, own: readonly Result[]): string {
  const done = sum(own, ({ amount }) => amount);
  return done >= published ? number(done) : `${number(done)} of ${number(published)}`;
}

/** What repeats each campaign, and what was tried in it. */
function runsOf({ name }: Fault, own: readonly Result[]): string[] {
  const distinct = (of: (result: Result) => string): string => [...new Set(own.map(of))].join(', ');
  return [
    `\`${name}\``,
    own.map(({ seed, amount }) => `${seed} (${number(amount)})`).join(', '),
    distinct(({ commit = 'not noted', dirty }) => (dirty ? `${commit}, changed` : commit)),
    distinct(({ date }) => date),
  ];
}

/** Figures that every campaign has: told once, over all of them. */
const COMMON = [
  'orphans taken back ms',
  'drained s',
  'in doubt, % of the ends',
  'retries late ms p50',
  'retries late ms p99',
];

function overAll(judged: readonly Result[]): string[][] {
  return COMMON.flatMap((name) => rangeOf(name, 'all campaigns', judged));
}

/** The least and the most of each other figure over the campaigns of a fault. */
function measuredIn(fault: Fault, own: readonly Result[]): string[][] {
  const names = [...new Set(own.flatMap(({ figures }) => Object.keys(figures)))].filter(
    (name) => !COMMON.includes(name),
  );
  return names.flatMap((name) => rangeOf(name, fault.name, own));
}

function rangeOf(name: string, where: string, results: readonly Result[]): string[][] {
  const values = results.map(({ figures }) => figures[name]).filter((value) => typeof value === 'number');
  return values.length === 0 ? [] : [[name, where, number(Math.min(...values)), number(Math.max(...values))]];
}

function whenOf(results: readonly Result[]): string {
  const dates = results.map(({ date }) => date).toSorted();
  const hours = sum(results, ({ durationS }) => durationS) / 3600;
  return `${number(results.length)} campaigns, ${dates[0] ?? 'none yet'} to ${dates.at(-1) ?? 'none yet'}, ${hours.toFixed(1)} hours.`;
}

const sum = (results: readonly Result[], of: (result: Result) => number): number =>
  results.reduce((total, result) => total + of(result), 0);

/** @returns the page with its tables made anew */
export function withTables(page: string, results: readonly Result[]): string {
  return Object.entries(tables(results)).reduce(
    (text, [name, made]) =>
      text.replace(new RegExp(`(<!-- ${name} -->\\n).*?(<!-- /${name} -->)`, 's'), (_all, open: string, end: string) =>
        [open, '\n', made, '\n\n', end].join(''),
      ),
    page,
  );
}

export async function writeReport(results: readonly Result[]): Promise<void> {
  await writeFile(PAGE, withTables(await readFile(PAGE, 'utf8'), results));
}
