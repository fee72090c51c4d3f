// How benchmarks judge: what many rounds say together, and what stands in the page.
import { expect, test } from 'vitest';
import type { Bench, Ratio } from '../../bench/kernel/bench.ts';
import { judge, spreadOf } from '../../bench/kernel/figures.ts';
import { markdown, withTables } from '../../bench/kernel/table.ts';
import type { Result } from '../../bench/kernel/result.ts';

const RATIO: Ratio = { what: 'cost', figure: 'us', of: 'E', to: 'C', must: { atMost: 1.25 }, stretch: { atMost: 1.1 } };
const rounds = (...values: number[]) => values.map((us) => ({ us }));

test('a figure is the median of its rounds, with the least and the most', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, rounds: [3, 1, 2] });
  expect(spreadOf([4, 1, 2, 3])?.median).toBe(2.5);
  expect(spreadOf([NaN])).toBeUndefined();
});

test('a ratio is taken inside of each round, before the median', () => {
  const [judged] = judge([RATIO], { E: rounds(10, 400, 33), C: rounds(10, 200, 30) }, 'everysec');
  expect(judged).toMatchObject({ median: 1.1, min: 1, max: 2, reached: 'stretch' });
});

test.each([
  [1.1, 'stretch'],
  [1.25, 'must'],
  [1.26, 'no'],
])('a ratio of %d reaches: %s', (value, reached) => {
  expect(judge([RATIO], { E: rounds(value), C: rounds(1) }, 'everysec')[0]?.reached).toBe(reached);
});

test('a figure without an arm to compare with is bounded itself', () => {
  const { to: _to, ...alone } = RATIO;
  expect(judge([{ ...alone, must: { atLeast: 5 } }], { E: rounds(4) }, 'everysec')[0]?.reached).toBe('no');
});

test('a round that failed says nothing, and a ratio without its arm is left out', () => {
  expect(judge([RATIO], { E: [{}, { us: 3 }], C: rounds(1, 2) }, 'everysec')[0]?.median).toBe(1.5);
  expect(judge([RATIO], { E: rounds(1) }, 'everysec')).toEqual([]);
});

test('a bound of one safety is not asked of the other', () => {
  const samples = { E: rounds(1), C: rounds(1) };
  expect(judge([{ ...RATIO, safety: 'always' }], samples, 'everysec')).toEqual([]);
});

test('between its marks a table is made anew, and a table without marks is told', () => {
  const page = 'before\n<!-- one -->\nold\n<!-- /one -->\nafter';
  expect(withTables(page, { one: 'new $&', two: 'x' })).toEqual({
    page: 'before\n<!-- one -->\n\nnew $&\n\n<!-- /one -->\nafter',
    unmarked: ['two'],
  });
});

test('a result is told with its bounds, whether they are reached, and the machine', () => {
  const bench: Bench = {
    name: 'one',
    title: 'One',
    arms: [],
    figures: [{ name: 'us', title: 'CPU, s per 10,000', places: 2, times: 0.01 }],
    ratios: [RATIO],
    measure: async () => ({}),
  };
  const spread = { median: 90, min: 80, max: 120, rounds: [80, 90, 120] };
  const result: Result = {
    name: 'one',
    title: 'One',
    at: '2026-11-23T00:00:00.000Z',
    commit: 'abc1234',
    machine: { node: 'v24.0.0', processor: 'a processor', cores: 2, redis: '7.0.15', packages: { bullmq: '6.7.0' } },
    rounds: 3,
    quick: false,
    tables: [
      {
        safety: 'everysec',
        arms: [{ name: 'E', title: 'Waybill', figures: { us: spread } }],
        ratios: judge([RATIO], { E: rounds(3), C: rounds(2) }, 'everysec'),
        failures: [],
      },
    ],
  };
  const text = markdown(bench, result);
  expect(text).toContain('| E Waybill | 0.90 (0.80–1.20) |');
  expect(text).toContain('| cost | E ÷ C | 1.50 | ≤ 1.25 | ≤ 1.1 | no |');
  expect(text).toContain('Median (least–most) of 3 rounds; 2026-11-23, commit abc1234, 2 cores (a processor)');
});
