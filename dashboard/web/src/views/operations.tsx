// All bulk operations that are kept, the newest first.
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Badge } from '../components/badge.tsx';
import { EmptyState, ErrorNote, Skeleton } from '../components/notes.tsx';
import { Time } from '../components/time.tsx';
import { changes } from '../live.ts';
import { counted, numberWords } from '../logic/number-words.ts';
import { ACT_WORDS, handledOf, STATE_TONES } from '../logic/operation-words.ts';
import { to } from '../routes.ts';
import { Progress } from './operations/progress.tsx';

export function Operations() {
  const destination = useLocation().query['destination'];
  const change = changes.value;
  const loaded = useLoad(destination ?? '', (signal) => call('operations', { query: { destination }, signal }));
  useEffect(() => {
    document.title = 'Operations · Waybill';
  }, []);
  // The rows stay in their order: only what they say moves.
  useEffect(loaded.reload, [change]);
  const { data, error } = loaded;
  return (
    <>
      <div>
        <h1>Operations</h1>
        <p class="muted">{data ? counted(data.operations.length, 'operation') : 'Loading…'}</p>
      </div>
      {error && <ErrorNote error={error} retry={loaded.reload} />}
      <section class="card" aria-label="Operations">
        {!data && !error && <Skeleton lines={5} label="Loading the operations" />}
        {data?.operations.length === 0 && (
          <EmptyState title="No bulk operation yet">
            <p>Replay or discard a group, or what you select in the list.</p>
          </EmptyState>
        )}
        {data && data.operations.length > 0 && (
          <div class="table-box">
            <table class="table operations">
              <caption class="unseen">Bulk operations</caption>
              <thead>
                <tr>
                  <th>Operation</th>
                  <th>State</th>
                  <th>Progress</th>
                  <th class="number">Refused, failed</th>
                  <th class="number">Dead again</th>
                  <th>By</th>
                  <th>Created</th>
                </tr>
              </thead>
              <tbody>
                {data.operations.map((operation) => (
                  <tr key={operation.id}>
                    <td>
                      <a href={to.operation(operation.destination, operation.id)}>
                        {ACT_WORDS[operation.act]} {counted(operation.total, 'letter')}
                      </a>
                      <span class="small muted clamp">
                        {operation.destination} · <bdi>{operation.reason}</bdi>
                      </span>
                    </td>
                    <td>
                      <Badge tone={STATE_TONES[operation.state]}>{operation.state}</Badge>
                    </td>
                    <td class="operations-progress">
                      <Progress operation={operation} />
                      <span class="small muted">
                        {numberWords(handledOf(operation))} of {numberWords(operation.total)}
                      </span>
                    </td>
                    <td class="number">{numberWords(operation.counts.refused + operation.counts.failed)}</td>
                    <td class="number">{operation.act === 'replay' ? numberWords(operation.after.dead) : '–'}</td>
                    <td>
                      <bdi>{operation.by}</bdi>
                    </td>
                    <td>
                      <Time at={operation.createdAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}
