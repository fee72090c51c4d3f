// What is selected, of how many, and what to do with it; and the export of what the filter means.
import type { LetterCount, LetterRow } from '../../../../api/contract/letters.ts';
import { addressOf } from '../../api/client.ts';
import { may } from '../../api/session.ts';
import { Button, ButtonLink } from '../../components/button.tsx';
import { bulkFilter, type Filter, filterParams } from '../../logic/filter-url.ts';
import { counted, countWords, numberWords } from '../../logic/number-words.ts';
import { EVERYTHING, NOTHING, pageState, type Selection } from '../../logic/selection.ts';
import type { BulkStart } from '../bulk/bulk-dialog.tsx';
import { destinationOf, rowKey } from './letter-table.tsx';

export function BulkBar(props: {
  filter: Filter;
  rows: readonly LetterRow[];
  count: LetterCount | undefined;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  onBulk: (start: BulkStart) => void;
}) {
  const { filter, rows, count, selection } = props;
  const selected = selection.all ? (count?.count ?? 0) : selection.ids.size;
  const any = selection.all || selected > 0;
  const state = filter.state ?? 'open';
  const destinations = selection.all
    ? [...new Set(filter.destination === undefined ? rows.map((row) => row.destination) : [filter.destination])]
    : [...new Set([...selection.ids].map(destinationOf))];
  const [destination, another] = destinations;
  const because =
    another !== undefined || (selection.all && filter.destination === undefined)
      ? 'An operation belongs to one destination: choose one.'
      : undefined;
  const exportFor = (format: 'csv' | 'ndjson'): string => {
    const query = filterParams(filter);
    query.set('format', format);
    return addressOf('exportLetters', {}, query);
  };
  const start = (act: BulkStart['act']): void => {
    if (destination === undefined) return;
    props.onBulk({
      act,
      destination,
      target: selection.all
        ? { filter: bulkFilter(filter) }
        : { ids: [...selection.ids].map((key) => key.slice(destination.length + 1)) },
      what: selection.all
        ? `all ${countWords(selected, count?.atLeast)} that match`
        : counted(selected, 'selected dead letter'),
    });
  };
  const wholePage = pageState(selection, rows.map(rowKey)) === 'all';
  return (
    <section class="bulk-bar" data-any={any ? '' : undefined} aria-label="Selection and export">
      <p class="row" aria-live="polite">
        <strong>
          {any
            ? `${selection.all ? 'All ' : ''}${countWords(selected, selection.all && count?.atLeast)} selected`
            : 'None selected'}
        </strong>
        {count && <span class="muted">of {countWords(count.count, count.atLeast)}</span>}
        {!selection.all && wholePage && count && count.count > selected && (
          <button type="button" class="link-button" onClick={() => props.onSelect(EVERYTHING)}>
            Select all {numberWords(count.count)} that match
          </button>
        )}
        {any && (
          <button type="button" class="link-button" onClick={() => props.onSelect(NOTHING)}>
            Clear
          </button>
        )}
        {any && (because ?? (may('operator') ? undefined : 'To act needs the role operator.'))}
      </p>
      <div class="row">
        {any && state === 'open' && (
          <>
            <Button small look="primary" needs="operator" disabledBecause={because} onClick={() => start('replay')}>
              Replay…
            </Button>
            <Button small look="danger" needs="operator" disabledBecause={because} onClick={() => start('discard')}>
              Discard…
            </Button>
          </>
        )}
        {any && state === 'discarded' && (
          <Button small look="primary" needs="operator" disabledBecause={because} onClick={() => start('restore')}>
            Restore…
          </Button>
        )}
        <span class="row bulk-export">
          <ButtonLink small download href={exportFor('csv')}>
            Export CSV
          </ButtonLink>
          <ButtonLink small download href={exportFor('ndjson')}>
            Export NDJSON
          </ButtonLink>
        </span>
      </div>
    </section>
  );
}
