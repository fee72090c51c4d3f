// Nothing died: how long ago the last one did, or, where none ever did, how to send a first write there.
import { CopyButton } from '../../components/copy.tsx';
import { EmptyState } from '../../components/notes.tsx';
import { relativeWords } from '../../logic/time-words.ts';
import { destinations } from '../../api/session.ts';
import { now10 } from '../../now.ts';
import { to } from '../../routes.ts';

export function NoLetters(props: {
  lastDeadAt: number | undefined;
  filtered: boolean;
  /** The one that is asked about, if it is one. */
  destination: string | undefined;
}) {
  const { lastDeadAt, destination } = props;
  if (lastDeadAt !== undefined)
    return (
      <div class="card">
        <EmptyState title={`0 dead letters, the last one ${relativeWords(lastDeadAt, now10.value)}`}>
          {props.filtered ? <a href={to.groups()}>Look at all destinations and times</a> : null}
          <a href={to.letters({ state: 'replayed' })}>Those that were replayed</a>
        </EmptyState>
      </div>
    );
  const example = `waybill enqueue ${destination ?? destinations.value[0] ?? 'DESTINATION'} --path /v1/messages --body '{"hello":"world"}'`;
  return (
    <div class="card">
      <EmptyState title={destination === undefined ? 'No dead letters yet' : `No dead letters of ${destination} yet`}>
        <p>What cannot be delivered will be here. A first write, from a terminal:</p>
        <div class="row">
          <code class="example">{example}</code>
          <CopyButton text={example} what="the example" />
        </div>
        {destination !== undefined && <a href={to.groups()}>Look at all destinations</a>}
      </EmptyState>
    </div>
  );
}
