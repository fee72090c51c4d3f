// When retention takes the next letter of a destination, and how much memory its letters hold.
import { call } from '../../api/client.ts';
import { useLoad } from '../../api/load.ts';
import { byteWords, counted } from '../../logic/number-words.ts';
import { durationWords } from '../../logic/time-words.ts';
import { Countdown } from '../../components/time.tsx';

export function RetentionNote(props: { destination: string | undefined; turn: number | undefined }) {
  const { data } = useLoad(props.turn === undefined ? undefined : String(props.turn), (signal) =>
    call('overview', { query: { minutes: 5 }, signal }),
  );
  const shown =
    data?.destinations.filter(({ destination }) => destination === (props.destination ?? destination)) ?? [];
  if (shown.length === 0) return null;
  const bytes = shown.reduce((sum, { retention }) => sum + (retention.deadBytes ?? 0), 0);
  const next = Math.min(...shown.map(({ retention }) => retention.nextTrimAt ?? Infinity));
  const dead = shown.reduce((sum, each) => sum + each.dead, 0);
  const [only, ...more] = shown;
  const keptMs = more.length === 0 ? only?.retention.deadMs : undefined;
  return (
    <p class="small muted retention">
      Retention: {counted(dead, 'letter')}
      {bytes > 0 && <>, {byteWords(bytes)}</>}
      {keptMs !== undefined && <>; kept {durationWords(keptMs)}</>}
      {Number.isFinite(next) && (
        <>
          ; the oldest goes in <Countdown until={next} after="a moment" />
        </>
      )}
    </p>
  );
}
