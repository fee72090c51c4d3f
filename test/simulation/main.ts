// npm run simulate: plays histories of one write under the rules of core/, and stops at the first that breaks a promise.
//   --histories N    how many; a million when left out
//   --seed S         of the run; drawn and printed when left out
//   --history H      plays that one history and prints every step
import { parseArgs } from 'node:util';
import { play, seedOf } from './history.ts';
import { RULES } from './rules.ts';
import { Tally } from './tally.ts';

const EVERY = 100_000;
const { values } = parseArgs({
  options: { histories: { type: 'string' }, seed: { type: 'string' }, history: { type: 'string' } },
});
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const histories = wholeNumber('histories', values.histories ?? '1000000', 1, 2 ** 32);
const seed = wholeNumber('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 32)), 0, 2 ** 32 - 1);
const broken =
  values.history === undefined ? playMany() : playOne(wholeNumber('history', values.history, 0, 2 ** 32 - 1));
process.exitCode = broken ? 1 : 0;

function playMany(): boolean {
  const tally = new Tally();
  const startedAt = performance.now();
  const perSecond = (played: number): string =>
    `${Math.round(played / ((performance.now() - startedAt) / 1000))} a second`;
  print(`${histories} histories, seed ${seed}`);
  for (let n = 0; n < histories; n++) {
    if (n > 0 && n % EVERY === 0) print(`${n} histories, ${perSecond(n)}`);
    const found = play(seedOf(seed, n), RULES, tally);
    if (found === undefined) continue;
    print(`history ${n} of seed ${seed} breaks a promise: ${found}`);
    return playOne(seedOf(seed, n));
  }
  for (const [name, count] of tally.entries()) print(`${String(count).padStart(12)}  ${name}`);
  print(`${histories} histories, seed ${seed}, ${perSecond(histories)}: every promise held`);
  return false;
}

function playOne(one: number): boolean {
  const found = play(one, RULES, new Tally(), print);
  print(found === undefined ? 'every promise held' : `broken: ${found}`);
  print(`again: npm run simulate -- --history ${one}`);
  return found !== undefined;
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  process.stderr.write(`simulate: --${name} is ${JSON.stringify(text)}: a whole number from ${low} to ${high}\n`);
  return process.exit(2);
}
