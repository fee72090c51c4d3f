// npm run chaos: runs campaigns and prints what became of every promise.
//   --fault F        one fault by name; every one when left out
//   --amount N       how many of it; the slice's amount when left out
//   --seed S         repeats a campaign's plan; drawn and printed when left out
//   --published      goes on with the published run: adds campaigns to the results until each fault has its amount
//   --minutes M      with --published: begins no campaign after so many; default 8
//   --report         writes the tables of docs/reliability.md from the results file, and runs nothing
import { parseArgs } from 'node:util';
import { FAULTS } from './faults/index.ts';
import { runPublished } from './published.ts';
import { printResult } from './print.ts';
import { writeReport } from './report.ts';
import { readResults } from './results.ts';
import { failuresOf, runFault } from './run.ts';

// By their own end, so that every process that was started ends too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { values } = parseArgs({
  options: {
    fault: { type: 'string' },
    amount: { type: 'string' },
    seed: { type: 'string' },
    published: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '8' },
    report: { type: 'boolean', default: false },
  },
});

const wholeNumber = (name: string, text: string, low: number, high: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  process.stderr.write(`chaos: --${name} is ${JSON.stringify(text)}: a whole number from ${low} to ${high}\n`);
  return process.exit(2);
};

const faults = FAULTS.filter(({ name }) => values.fault === undefined || name === values.fault);
if (faults.length === 0) {
  process.stderr.write(
    `chaos: --fault is ${JSON.stringify(values.fault)}: one of ${FAULTS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}
const seed = wholeNumber('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 32)), 0, 2 ** 32 - 1);
const amount = values.amount === undefined ? undefined : wholeNumber('amount', values.amount, 1, 1_000_000);

let violations = 0;
if (values.report) {
  await writeReport(await readResults());
} else if (values.published) {
  violations = await runPublished(faults, wholeNumber('minutes', values.minutes, 1, 600));
} else {
  for (const fault of faults) {
    const result = await runFault(fault, seed, amount ?? Math.max(1, fault.slice));
    printResult(result);
    violations += failuresOf(fault, result);
  }
}
process.exit(violations > 0 ? 1 : 0);
