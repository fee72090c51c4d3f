// The published run, in portions: campaign after campaign until every fault has its amount.
import type { Fault } from './fault.ts';
import { mixIn } from './chance.ts';
import { printResult } from './print.ts';
import { writeReport } from './report.ts';
import { addResult, readResults } from './results.ts';
import { failuresOf, type Result, runFault } from './run.ts';

const SEED = 20_261_123;

/** @param minutes begins no campaign later than this @returns how many promises were broken */
export async function runPublished(faults: readonly Fault[], minutes: number): Promise<number> {
  const end = performance.now() + minutes * 60_000;
  let violations = 0;
  for (const fault of faults) {
    for (;;) {
      const before = (await readResults()).filter((result) => result.fault === fault.name);
      const left = fault.published - before.reduce((sum, { amount }) => sum + amount, 0);
      if (left <= 0) break;
      if (performance.now() > end) {
        process.stdout.write(`${fault.name}: ${left} of ${fault.published} are left; the same command goes on\n`);
        return violations;
      }
      const result = await runFault(fault, freeSeed(fault, before), Math.min(left, fault.batch));
      printResult(result);
      await addResult(result);
      await writeReport(await readResults());
      violations += failuresOf(fault, result);
    }
  }
  return violations;
}

/** The first that no campaign of this fault has had, for lines may have been taken out of the results. */
function freeSeed({ name }: Fault, before: readonly Result[]): number {
  const had = new Set(before.map(({ seed }) => seed));
  for (let i = 0; ; i += 1) {
    const seed = mixIn(SEED, `${name} ${i}`);
    if (!had.has(seed)) return seed;
  }
}
