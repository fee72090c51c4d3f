// Pages name campaigns as what shows an answer: each has to be one, and one that is said to run with the tests has to.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FAULTS } from './faults/index.ts';

const page = (name: string): Promise<string> => readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

test.each(['failure-modes', 'reliability'])('every campaign that %s names is one', async (name) => {
  const named = [...(await page(name)).matchAll(/--fault ([\w-]+)/g)].map(([, fault]) => fault);
  const known = new Set(['F', ...FAULTS.map((fault) => fault.name)]);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((fault) => !known.has(fault ?? ''))).toEqual([]);
});

test('every campaign that is said to run with the tests does', async () => {
  const cited = [...(await page('failure-modes')).matchAll(/slice\.test\.ts\): "[^"]+"( \(([^)]*)\))?/g)];
  const named = cited.flatMap(([, , list = 'none named']) => list.replaceAll('`', '').split(', '));
  const run = new Set(FAULTS.filter(({ slice }) => slice > 0).map(({ name }) => name));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !run.has(name))).toEqual([]);
});

test('every campaign but the control shows an answer of the failure modes', async () => {
  const text = await page('failure-modes');
  const unnamed = FAULTS.filter(({ name, usual }) => !usual && !text.includes(`\`--fault ${name}\``));
  expect(unnamed.map(({ name }) => name)).toEqual([]);
});
