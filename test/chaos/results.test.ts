// The results file is what the published tables are made of: nothing in it may count twice.
import { expect, test } from 'vitest';
import { resultsIn } from './results.ts';

const line = (fault: string, seed: number): string => JSON.stringify({ fault, seed, amount: 1 });

test('campaigns of one fault with several seeds, and of several faults with one, all count', () => {
  const text = [line('fuzz', 1), line('fuzz', 2), line('soak', 1), ''].join('\n');
  expect(resultsIn(text).map(({ fault, seed }) => `${fault} ${seed}`)).toEqual(['fuzz 1', 'fuzz 2', 'soak 1']);
});

test('a campaign that stands twice is refused, with both of its lines', () => {
  expect(() => resultsIn([line('fuzz', 1), line('soak', 1), line('fuzz', 1)].join('\n'))).toThrow(
    /lines 1 and 3 are both of fault fuzz with seed 1; take one out/,
  );
});

test('a line that broke off is refused, with its place', () => {
  expect(() => resultsIn(`${line('fuzz', 1)}\n{"fault":`)).toThrow(/line 2 is no JSON/);
});
