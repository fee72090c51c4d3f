// Counts over time as bars, with a text alternative. With `onRange` one drags over it to choose a stretch of time; what
// the pointer does there the fields "since" and "before" do by keyboard.
import { useRef, useState } from 'preact/hooks';
import { counted } from '../logic/number-words.ts';
import { barAt, rangeOf, type Range } from '../logic/spark-range.ts';
import { timeWords, zone } from './time.tsx';
import { absoluteWords, durationWords, minuteWords } from '../logic/time-words.ts';

interface Counts {
  from: number;
  stepMs: number;
  counts: readonly number[];
}

export function sparkWords({ from, stepMs, counts }: Counts): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const span = durationWords(stepMs * counts.length);
  if (total === 0) return `None in ${span}.`;
  const most = Math.max(...counts);
  const words = stepMs < 60_000 ? absoluteWords : minuteWords;
  const at = from + counts.indexOf(most) * stepMs;
  return `${counted(total, 'dead letter')} in ${span}; most, ${most}, from ${words(at, zone.value)}.`;
}

const HEIGHT = 100;
/** Few bars stay bars: none is wider than one of so many. */
const SLIM = 32;
/** Even one is to be seen beside a thousand. */
const LEAST = 6;

export function Spark(props: Counts & { onRange?: (range: Range) => void; label?: string }) {
  const { counts, from, stepMs, onRange } = props;
  const box = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<{ start: number; end: number }>();
  const most = Math.max(1, ...counts);
  const width = counts.length * 10;
  const bar = 8 * Math.min(1, counts.length / SLIM);
  const at = (event: PointerEvent): number => {
    const { left, width: wide } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return barAt((event.clientX - left) / wide, counts.length);
  };
  const done = (): void => {
    if (drag && onRange) onRange(rangeOf(drag.start, drag.end, from, stepMs));
    setDrag(undefined);
  };
  return (
    <svg
      ref={box}
      class={onRange ? 'spark spark-drag' : 'spark'}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${props.label ?? 'Deaths over time'}: ${sparkWords(props)}`}
      {...(onRange && {
        onPointerDown: (event: PointerEvent) => {
          if (event.button !== 0) return;
          box.current?.setPointerCapture(event.pointerId);
          setDrag({ start: at(event), end: at(event) });
        },
        onPointerMove: (event: PointerEvent) => {
          if (drag) setDrag({ ...drag, end: at(event) });
        },
        onPointerUp: done,
        onPointerCancel: () => setDrag(undefined),
      })}
    >
      {counts.map((count, slice) => {
        const height = count === 0 ? 2 : LEAST + (count / most) * (HEIGHT - LEAST);
        return (
          <rect
            key={slice}
            class={count === 0 ? 'spark-none' : undefined}
            x={slice * 10 + (10 - bar) / 2}
            y={HEIGHT - height}
            width={bar}
            height={height}
          >
            {onRange && <title>{`${count} from ${timeWords(from + slice * stepMs)}`}</title>}
          </rect>
        );
      })}
      {drag && (
        <rect
          class="spark-range"
          x={Math.min(drag.start, drag.end) * 10}
          y={0}
          width={(Math.abs(drag.end - drag.start) + 1) * 10}
          height={HEIGHT}
        />
      )}
    </svg>
  );
}
