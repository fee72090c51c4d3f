// What many rounds say together: the median, with the least and the most.
import type { Bound, Figure, Ratio, Safety, Sample } from './bench.ts';

export interface Spread {
  median: number;
  min: number;
  max: number;
  rounds: number[];
}

export interface Judged extends Ratio, Spread {
  reached?: 'stretch' | 'must' | 'no';
}

/** By arm, its samples in the order of the rounds. */
export type Samples = Record<string, Sample[]>;

export function spreadOf(rounds: number[]): Spread | undefined {
  const sorted = rounds.filter(Number.isFinite).toSorted((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
    rounds,
  };
}

/** @returns each figure that the arm has */
export function spreadsOf(samples: readonly Sample[]): Record<string, Spread> {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  const spreads = [...names].map((name) => [name, spreadOf(samples.map((sample) => sample[name] ?? NaN))] as const);
  return Object.fromEntries(spreads.filter(([, spread]) => spread !== undefined)) as Record<string, Spread>;
}

/** Ratios of each round, then their median. Those whose arms did not run are left out. */
export function judge(ratios: readonly Ratio[], samples: Samples, safety: Safety): Judged[] {
  return ratios
    .filter((ratio) => ratio.safety === undefined || ratio.safety === safety)
    .flatMap((ratio) => {
      const { figure, of, to, toFigure = figure } = ratio;
      const own = samples[of] ?? [];
      const values = own.map((sample, round) => {
        const value = sample[figure] ?? NaN;
        return to === undefined ? value : value / (samples[to]?.[round]?.[toFigure] ?? NaN);
      });
      const spread = spreadOf(values);
      return spread ? [{ ...ratio, ...spread, ...reachedBy(spread.median, ratio) }] : [];
    });
}

function reachedBy(median: number, { must, stretch }: Ratio): Pick<Judged, 'reached'> {
  if (stretch && holds(median, stretch)) return { reached: 'stretch' };
  if (must) return { reached: holds(median, must) ? 'must' : 'no' };
  return stretch ? { reached: 'no' } : {};
}

const holds = (value: number, bound: Bound): boolean =>
  'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;

export const shown = (value: number | undefined, { places = 0, times = 1 }: Pick<Figure, 'places' | 'times'>): string =>
  value === undefined || !Number.isFinite(value)
    ? '–'
    : (value * times).toLocaleString('en-GB', { minimumFractionDigits: places, maximumFractionDigits: places });
