// Who started it, why, on which letters and how.
import type { Operation } from '../../../../api/contract/operations.ts';
import { timeWords, Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { chipsOf, type Filter } from '../../logic/filter-url.ts';
import { percentWords } from '../../logic/number-words.ts';
import { to } from '../../routes.ts';

export function OperationFacts({ operation }: { operation: Operation }) {
  const { filter } = operation;
  return (
    <section class="card card-body" aria-label="What it is">
      <dl class="facts">
        <dt>By</dt>
        <dd>
          <bdi>{operation.by}</bdi>, <Time at={operation.createdAt} />
        </dd>
        <dt>Reason</dt>
        <dd>
          <Upstream text={operation.reason} show="whole" />
        </dd>
        <dt>Letters</dt>
        <dd>{filter ? <FilterWords filter={filter} destination={operation.destination} /> : 'named one by one'}</dd>
        <dt>How</dt>
        <dd>
          {operation.rate} a second
          {operation.act === 'replay' && (
            <>
              ; {operation.steps === 'canary' ? 'in canary steps' : 'all at once'};{' '}
              {operation.newKey ? 'each under a new key' : 'under their own keys'};{' '}
              {operation.stopShare >= 1
                ? 'never stops itself'
                : `stops when more than ${percentWords(operation.stopShare)} fail again`}
              {operation.acceptDouble && '; also those that may be applied twice'}
              {operation.ignoreExpiry && '; also those that expired'}
            </>
          )}
        </dd>
        <dt>Id</dt>
        <dd>
          <code>{operation.id}</code>
        </dd>
      </dl>
    </section>
  );
}

function FilterWords(props: { filter: Filter; destination: string }) {
  const chips = chipsOf(props.filter, timeWords);
  return (
    <span class="row">
      {chips.length === 0
        ? 'all that were open'
        : chips.map(({ field, name, value }) => (
            <span key={field} class="badge">
              {name} <Upstream text={value} />
            </span>
          ))}
      <a href={to.letters({ ...props.filter, destination: props.destination })}>What the filter means now</a>
    </span>
  );
}
