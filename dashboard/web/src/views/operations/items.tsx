// What became of each item, page by page; which page and which results stand in the address.
import { useLocation } from 'preact-iso';
import type { Operation, OperationItem } from '../../../../api/contract/operations.ts';
import { call } from '../../api/client.ts';
import { useLoad } from '../../api/load.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { ButtonLink } from '../../components/button.tsx';
import { ErrorNote, Skeleton } from '../../components/notes.tsx';
import { Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { RESULT_WORDS, RESULTS } from '../../logic/operation-words.ts';
import { to } from '../../routes.ts';

const TONES: Record<OperationItem['result'], Tone> = {
  pending: 'plain',
  done: 'good',
  refused: 'warn',
  handled: 'plain',
  missing: 'plain',
  failed: 'bad',
};
const END_WORDS = { underway: 'under way', delivered: 'delivered', dead: 'dead again' };

/** @param turn differs when the items may differ */
export function OperationItemsTable(props: { operation: Operation; turn: string }) {
  const { destination, id, act } = props.operation;
  const { query, route } = useLocation();
  const result = RESULTS.find((each) => each === query['result']);
  const cursor = query['cursor'];
  const loaded = useLoad(`${result ?? ''} ${cursor ?? ''} ${props.turn}`, (signal) =>
    call('operationItems', { params: { destination, id }, query: { result, cursor }, signal }),
  );
  const { data, error } = loaded;
  return (
    <section class="stack-tight" aria-label="Items">
      <div class="spread">
        <h2>Items</h2>
        <label class="row">
          Result
          <select
            value={result ?? ''}
            onChange={(event) => route(to.operation(destination, id, { result: event.currentTarget.value }))}
          >
            <option value="">all</option>
            {RESULTS.map((each) => (
              <option key={each} value={each}>
                {RESULT_WORDS[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <ErrorNote error={error} retry={loaded.reload} />}
      <div class="card">
        {!data && !error && <Skeleton label="Loading the items" />}
        {data?.items.length === 0 && <p class="card-body muted">None.</p>}
        {data && data.items.length > 0 && (
          <div class="table-box">
            <table class="table">
              <caption class="unseen">Items of the operation</caption>
              <thead>
                <tr>
                  <th class="number">Item</th>
                  <th>Letter</th>
                  <th>Result</th>
                  {act === 'replay' && <th>What became of it</th>}
                  <th>Why</th>
                  <th>When</th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((item) => (
                  <tr key={item.index}>
                    <td class="number">{item.index + 1}</td>
                    <td>
                      <a class="mono" href={to.letter(destination, item.letter)}>
                        {item.letter}
                      </a>
                    </td>
                    <td>
                      <Badge tone={TONES[item.result]}>{RESULT_WORDS[item.result]}</Badge>
                    </td>
                    {act === 'replay' && (
                      <td>
                        {item.end !== undefined &&
                          (item.endLetter === undefined ? (
                            END_WORDS[item.end]
                          ) : (
                            <a href={to.letter(destination, item.endLetter)}>{END_WORDS[item.end]}</a>
                          ))}
                      </td>
                    )}
                    <td>{item.message !== undefined && <Upstream text={item.message} show="clamp" />}</td>
                    <td>{item.at !== undefined && <Time at={item.at} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
      <nav class="row" aria-label="Pages of items">
        {cursor !== undefined && (
          <ButtonLink small href={to.operation(destination, id, { ...(result && { result }) })}>
            First page
          </ButtonLink>
        )}
        {data?.next !== undefined && (
          <ButtonLink
            small
            href={to.operation(destination, id, { ...(result && { result }), cursor: String(data.next) })}
          >
            Next page
          </ButtonLink>
        )}
      </nav>
    </section>
  );
}
