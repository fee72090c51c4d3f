// Lines over time, by minute. The canvas is for the eye alone: the
// caption says the values of the minute under the pointer, or the last one, and the same stands below as a table.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { theme } from '../theme.ts';
import { clockWords } from '../logic/time-words.ts';
import { loadPlot } from './plot.ts';
import { zone } from './time.tsx';
import './chart.css';

export interface Line {
  label: string;
  /** The name of a colour of tokens.css, such as `--good`. */
  colour: string;
  /** Lengths of line and gap, px. */
  dash?: [number, number];
  /** Filled down to zero. */
  area?: boolean;
  values: readonly (number | undefined)[];
}

const HEIGHT = 150;

export function Chart(props: {
  title: string;
  /** Epoch ms, one for each value. */
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** There is nothing between 1 and 2. */
  whole?: boolean;
  /** What is said where no line has a value. */
  none: string;
}) {
  const { times, lines, format, whole = false } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const words = useRef(format);
  words.current = format;
  const [at, setAt] = useState<number>();
  const [failed, setFailed] = useState(false);
  const data = useMemo(
    (): uPlot.AlignedData => [
      times.map((time) => time / 1000),
      ...lines.map(({ values }) => values.map((value) => value ?? null)),
    ],
    [times, lines],
  );
  const current = useRef(data);
  current.current = data;
  const empty = lines.every(({ values }) => values.every((value) => value === undefined));
  const chosen = theme.value;
  const inZone = zone.value;

  useEffect(() => {
    const element = host.current;
    if (!element || empty) return;
    let gone = false;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = async (): Promise<void> => {
      const Plot = await loadPlot();
      // The table remains.
      setFailed(Plot === undefined);
      if (gone || !Plot) return;
      plot.current?.destroy();
      plot.current = new Plot(
        optionsOf(Plot, element, { lines, format: (value) => words.current(value), whole, inZone, hovered: setAt }),
        current.current,
        element,
      );
    };
    const redraw = (): void => void draw();
    redraw();
    dark.addEventListener('change', redraw);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      gone = true;
      dark.removeEventListener('change', redraw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [chosen, inZone, lines.length, empty]);
  useEffect(() => plot.current?.setData(data), [data]);

  const shown = at !== undefined && at < times.length ? at : lastWithValues(lines);
  const time = times[shown];
  return (
    <figure class="chart">
      <figcaption class="chart-caption">
        <strong>{props.title}</strong>
        {!empty && (
          <span class="chart-legend">
            {lines.map(({ label, colour, dash, values }) => (
              <span key={label}>
                <svg viewBox="0 0 16 4" aria-hidden="true">
                  <path d="M0 2h16" class={`chart-key chart-key${colour}`} stroke-dasharray={dash?.join(' ')} />
                </svg>
                {label} {values[shown] === undefined ? '–' : format(values[shown])}
              </span>
            ))}
            {time !== undefined && <span class="muted">{clockWords(time, inZone)}</span>}
          </span>
        )}
      </figcaption>
      {failed && <p class="muted small">The chart cannot be drawn; its values stand in the table below.</p>}
      {empty ? <p class="chart-none muted">{props.none}</p> : <div class="chart-box" ref={host} aria-hidden="true" />}
    </figure>
  );
}

function lastWithValues(lines: readonly Line[]): number {
  const length = lines[0]?.values.length ?? 0;
  for (let index = length - 1; index > 0; index--) {
    if (lines.some(({ values }) => values[index] !== undefined)) return index;
  }
  return Math.max(0, length - 1);
}

function optionsOf(
  Plot: typeof uPlot,
  element: HTMLElement,
  given: {
    lines: readonly Line[];
    format: (value: number) => string;
    whole: boolean;
    inZone: 'utc' | 'local';
    hovered: (index: number | undefined) => void;
  },
): uPlot.Options {
  const { lines, format, whole, inZone, hovered } = given;
  const colours = resolved(element, [...lines.map(({ colour }) => colour), '--line', '--text-muted']);
  const [grid, text] = colours.slice(-2);
  const { fontFamily } = getComputedStyle(element);
  const axis: uPlot.Axis = {
    stroke: text!,
    font: `11px ${fontFamily}`,
    grid: { stroke: grid!, width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
    scales: { y: { range: (_, _min, max) => [0, Math.max(max, 1) * 1.08] } },
    ...(inZone === 'utc' && { tzDate: (seconds: number) => Plot.tzDate(new Date(seconds * 1000), 'Etc/UTC') }),
    axes: [
      {
        ...axis,
        size: 24,
        gap: 4,
        values: (_, times) => times.map((time) => clockWords(time * 1000, inZone)),
        space: 60,
        grid: { show: false },
      },
      {
        ...axis,
        size: 52,
        gap: 4,
        space: 32,
        ...(whole && { incrs: WHOLE_STEPS }),
        values: (_, values) => values.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, dash, area }, index): uPlot.Series => ({
        label,
        stroke: colours[index]!,
        width: 1.5,
        points: { show: true, size: 5, fill: colours[index]!, filter: alone },
        spanGaps: false,
        ...(dash && { dash }),
        ...(area && { fill: faded(colours[index]!) }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => hovered(cursor.idx ?? undefined)] },
  };
}

const WHOLE_STEPS = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((n) => [1, 2, 5].map((step) => step * 10 ** n));

/** Which values have none beside them: a line cannot show those. */
const alone: uPlot.Series.Points.Filter = (plot, index) => {
  const values = plot.data[index] ?? [];
  return [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
};

/** Colours as a canvas takes them: `light-dark()` and variables are the style sheet's alone. */
function resolved(element: HTMLElement, names: readonly string[]): string[] {
  const probe = document.createElement('span');
  element.append(probe);
  const colours = names.map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}

const faded = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
