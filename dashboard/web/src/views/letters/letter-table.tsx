// The rows: a table, and cards where there is no room for one. j and k move the focus from row to row.
import { useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import type { LetterRow } from '../../../../api/contract/letters.ts';
import { may } from '../../api/session.ts';
import { Badge, VerdictBadge } from '../../components/badge.tsx';
import { Countdown, Time } from '../../components/time.tsx';
import { toast } from '../../components/toast.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { useKeys } from '../../keys.ts';
import type { Filter } from '../../logic/filter-url.ts';
import { isSelected, pageState, pageToggled, type Selection, toggled } from '../../logic/selection.ts';
import { reasonWords } from '../../logic/verdict-words.ts';
import { to } from '../../routes.ts';

/** An id means something at its destination only. */
export const rowKey = ({ destination, id }: Pick<LetterRow, 'destination' | 'id'>): string => `${destination} ${id}`;
export const destinationOf = (key: string): string => key.slice(0, key.indexOf(' '));

export function LetterTable(props: {
  rows: readonly LetterRow[];
  /** Of the list: it goes with each link, for the way back. */
  filter: Filter;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  onAct: (act: 'replay' | 'discard', row: LetterRow) => void;
}) {
  const { rows, selection, filter } = props;
  const { route } = useLocation();
  const body = useRef<HTMLTableSectionElement>(null);
  const head = useRef<HTMLInputElement>(null);
  const page = rows.map(rowKey);
  const state = pageState(selection, page);
  useEffect(() => {
    if (head.current) head.current.indeterminate = state === 'some';
  }, [state]);

  const focused = (): number =>
    [...(body.current?.rows ?? [])].findIndex((row) => row.contains(document.activeElement));
  const move = (by: number): void => {
    const at = focused();
    const next = Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    body.current?.rows[next]?.querySelector('a')?.focus();
  };
  const withRow = (act: (row: LetterRow) => void) => (): void => {
    const row = rows[focused()];
    if (row) act(row);
  };
  const withOpenRow = (act: (row: LetterRow) => void) =>
    withRow((row) => {
      if (!may('operator')) toast('Needs the role operator', 'bad');
      else if (row.state !== 'open') toast(`This one is ${row.state} already`, 'bad');
      else act(row);
    });
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: withRow((row) => props.onSelect(toggled(selection, rowKey(row), page, false))),
    Enter: withRow((row) => route(to.letter(row.destination, row.id, filter))),
    e: withOpenRow((row) => route(to.edit(row.destination, row.id, filter))),
    r: withOpenRow((row) => props.onAct('replay', row)),
    d: withOpenRow((row) => props.onAct('discard', row)),
  });

  return (
    <div class="table-box">
      <table class="table letters">
        <caption class="unseen">Dead letters of this page</caption>
        <thead>
          <tr>
            <th
              class="letters-select"
              onClick={(event) => {
                if (event.target === event.currentTarget) props.onSelect(pageToggled(selection, page));
              }}
            >
              <input
                ref={head}
                type="checkbox"
                aria-label="Select this page"
                checked={state === 'all'}
                onChange={() => props.onSelect(pageToggled(selection, page))}
              />
            </th>
            <th>Code</th>
            <th>What the API said</th>
            <th>Verdict</th>
            <th>Write</th>
            <th class="number">Attempts</th>
            <th>Key lives</th>
            <th>Died</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row) => (
            <Row
              key={rowKey(row)}
              row={row}
              filter={filter}
              selected={isSelected(selection, rowKey(row))}
              onToggle={(range) => props.onSelect(toggled(selection, rowKey(row), page, range))}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row(props: { row: LetterRow; filter: Filter; selected: boolean; onToggle: (range: boolean) => void }) {
  const { row, filter } = props;
  const name = row.code ?? (row.unreadable === undefined ? reasonWords(row.reason ?? 'unknown') : 'unreadable');
  return (
    <tr data-selected={props.selected ? '' : undefined}>
      <td
        class="letters-select"
        onClick={(event) => {
          // Around the box too: it is small for a finger.
          if (event.target === event.currentTarget) props.onToggle(event.shiftKey);
        }}
      >
        <input
          type="checkbox"
          aria-label={`Select ${name.slice(0, 60)}, ${row.id}`}
          checked={props.selected}
          onClick={(event) => {
            // A controlled box: the click's own change comes too late to know of shift.
            props.onToggle(event.shiftKey);
          }}
        />
      </td>
      <td class="letters-code">
        <span class="letters-line">
          {row.status !== undefined && <Badge tone={row.status >= 500 ? 'bad' : 'plain'}>{row.status}</Badge>}
          <a class="cut" href={to.letter(row.destination, row.id, filter)}>
            <Upstream text={name} mono={row.code !== undefined} />
          </a>
        </span>
        {row.field !== undefined && (
          <span class="letters-line small">
            <span class="muted">field</span> <Upstream text={row.field} mono />
          </span>
        )}
      </td>
      <td class="letters-message">
        <Upstream text={row.unreadable ?? row.message ?? row.because ?? ''} show="clamp" />
      </td>
      <td class="letters-verdict">
        {row.verdict && <VerdictBadge verdict={row.verdict} />}
        {row.reason !== undefined && <span class="small muted letters-reason">{reasonWords(row.reason)}</span>}
      </td>
      <td class="letters-write">
        {row.path !== undefined && <Upstream text={`${row.method ?? ''} ${row.path}`} mono />}
        <span class="small muted letters-line">
          {filter.destination === undefined && <span>{row.destination}</span>}
          {row.idempotencyKey !== undefined && <Upstream text={row.idempotencyKey} mono />}
        </span>
      </td>
      <td class="number" data-label="Attempts">
        {row.attempts}
        {(row.generation ?? 0) > 0 && <span class="small muted letters-reason">replayed {row.generation}×</span>}
      </td>
      <td class="nowrap" data-label="Key lives">
        {row.keyUsableUntil !== undefined && <Countdown until={row.keyUsableUntil} after="no more" />}
      </td>
      <td data-label="Died">
        <Time at={row.deadAt} />
        {row.handled && (
          <span class="small muted letters-reason">
            {row.state} by {row.handled.by} <Time at={row.handled.at} />
          </span>
        )}
      </td>
    </tr>
  );
}
