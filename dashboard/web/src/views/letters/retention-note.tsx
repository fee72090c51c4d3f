// When retention takes the next letter of a destination, and how much memory its letters hold; of handled ones, how long
// they are kept.
import type { Filter } from '../../logic/filter-url.ts';
import { call } from '../../api/client.ts';
import { useLoad } from '../../api/load.ts';
import { byteWords, counted } from '../../logic/number-words.ts';
import { durationWords } from '../../logic/time-words.ts';
import { Countdown } from '../../components/time.tsx';

export function RetentionNote(props: { filter: Filter; turn: number | undefined }) {
  const { destination: asked, state = 'open' } = props.filter;
  const { data } = useLoad(props.turn === undefined ? undefined : String(props.turn), (signal) =>
    call('overview', { query: { minutes: 5 }, signal }),
  );
  const shown = data?.destinations.filter(({ destination }) => destination === (asked ?? destination)) ?? [];
  if (shown.length === 0) return null;
  const bytes = shown.reduce((sum, { retention }) => sum + (retention.deadBytes ?? 0), 0);
  const next = Math.min(...shown.map(({ retention }) => retention.nextTrimAt ?? Infinity));
  const dead = shown.reduce((sum, each) => sum + each.dead, 0);
  const [only, ...more] = shown;
  const kept = more.length === 0 ? only?.retention : undefined;
  if (state !== 'open')
    return (
      <p class="small muted retention">
        Retention:{' '}
        {counted(
          shown.reduce((sum, each) => sum + each[state], 0),
          'letter',
        )}{' '}
        {state}
        {kept?.handledMs !== undefined && <>; kept {durationWords(kept.handledMs)}</>}
      </p>
    );
  return (
    <p class="small muted retention">
      Retention: {counted(dead, 'letter')}
      {bytes > 0 && <>, {byteWords(bytes)}</>}
      {kept?.deadMs !== undefined && <>; kept {durationWords(kept.deadMs)}</>}
      {Number.isFinite(next) && (
        <>
          ; the oldest goes in <Countdown until={next} after="a moment" />
        </>
      )}
    </p>
  );
}
