// Deaths over the time that the filter means; dragging over it chooses a stretch of it.
import { call } from '../../api/client.ts';
import { useLoad } from '../../api/load.ts';
import { sparkWords, Spark } from '../../components/spark.tsx';
import { zone } from '../../components/time.tsx';
import { type Filter, filterParams } from '../../logic/filter-url.ts';
import type { Range } from '../../logic/spark-range.ts';
import { absoluteWords, minuteWords } from '../../logic/time-words.ts';

const SLICES = 80;

export function Histogram(props: { filter: Filter; turn: number | undefined; onRange: (range: Range) => void }) {
  // After the list: what is read first is shown first.
  const key = props.turn === undefined ? undefined : `${filterParams(props.filter)} ${props.turn}`;
  const { data } = useLoad(key, (signal) => {
    const query = filterParams(props.filter);
    query.set('slices', String(SLICES));
    return call('histogram', { query, signal });
  });
  if (!data) return <div class="histogram card" />;
  const words = data.stepMs < 60_000 ? absoluteWords : minuteWords;
  return (
    <figure class="histogram card">
      <Spark {...data} onRange={props.onRange} />
      <figcaption class="spread small muted">
        <span>{words(data.from, zone.value)}</span>
        <span class="histogram-words">
          {data.atLeast ? 'At least: ' : ''}
          {sparkWords(data)} Drag to choose a time.
        </span>
        <span>{words(data.from + data.stepMs * data.counts.length, zone.value)}</span>
      </figcaption>
    </figure>
  );
}
