// What a campaign prints: one line of what was done, one for each invariant, and the table of docs/reliability.md.
import { INVARIANTS, type Invariant } from './judge.ts';
import { type Result, violationsOf } from './run.ts';

const NAMES = Object.keys(INVARIANTS) as Invariant[];
const number = (value: number): string => value.toLocaleString('en-GB');

export function printResult(result: Result): void {
  const { fault, seed, amount, durationS, writes, sends, endings, invariants, figures, broken } = result;
  const ends = Object.entries(endings).map(([place, count]) => `${number(count)} ${place}`);
  const lines = [
    `${fault}: ${number(amount)} times, ${number(writes)} writes, ${number(sends)} sends, ${durationS} s; ${ends.join(', ')}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name}: ${value}`),
    ...NAMES.map((name) => {
      const { checked, violations } = invariants[name];
      return `  ${name.padEnd(3)} ${String(violations).padStart(6)} of ${number(checked).padStart(9)}  ${INVARIANTS[name]}`;
    }),
    ...NAMES.flatMap((name) => invariants[name].samples.map((sample) => `  ${name}: ${sample}`)),
    ...broken.map((text) => `  broken: ${text}`),
    `  ${violationsOf(result) === 0 ? 'every promise was kept' : `${violationsOf(result)} BROKEN`}; again: npm run chaos -- --fault ${fault} --seed ${seed} --amount ${amount}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
