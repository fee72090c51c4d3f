// The list: one filter, which the address holds; a page of it, what is selected, and what to do with that.
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import type { LetterRow } from '../../../api/contract/letters.ts';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { ButtonLink } from '../components/button.tsx';
import { EmptyState, ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { NewsPill } from '../components/news-pill.tsx';
import { filterParams, type Filter, readFilter } from '../logic/filter-url.ts';
import { countWords, numberWords } from '../logic/number-words.ts';
import { NOTHING, type Selection } from '../logic/selection.ts';
import { useNews } from '../news.ts';
import { to } from '../routes.ts';
import { Bulk, type BulkStart } from './bulk/bulk-dialog.tsx';
import { BulkBar } from './letters/bulk-bar.tsx';
import { FilterBar } from './letters/filter-bar.tsx';
import { Histogram } from './letters/histogram.tsx';
import { LetterTable } from './letters/letter-table.tsx';
import { RetentionNote } from './letters/retention-note.tsx';

const PAGE = 50;

export function Letters() {
  const { url, query, route } = useLocation();
  const params = new URLSearchParams(url.split('?')[1] ?? '');
  const filter = readFilter(params);
  const filterKey = filterParams(filter).toString();
  const oldest = query['first'] === 'oldest';
  const cursor = query['cursor'];
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [bulk, setBulk] = useState<BulkStart>();

  const pageKey = `${filterKey} ${oldest} ${cursor ?? ''}`;
  const page = useLoad(pageKey, (signal) => {
    const asked = filterParams(filter);
    asked.set('limit', String(PAGE));
    if (oldest) asked.set('first', 'oldest');
    if (cursor !== undefined) asked.set('cursor', cursor);
    return call('letters', { query: asked, signal });
  });
  const count = useLoad(filterKey, (signal) => call('countLetters', { query: filterParams(filter), signal }));
  const news = useNews(filter, (filter.state ?? 'open') === 'open' ? page.data?.now : undefined);

  useEffect(() => setSelection(NOTHING), [filterKey]);
  useEffect(() => {
    document.title = 'Letters · Waybill';
  }, []);

  const rows = page.data?.items ?? [];
  const next = page.data?.next;
  const turn = { ...(oldest && { first: 'oldest' as const }) };
  const reload = (): void => {
    page.reload();
    count.reload();
  };
  const showNews = (): void => {
    if (cursor === undefined && !oldest) reload();
    else {
      route(to.letters(filter));
      count.reload();
    }
  };
  const startOne = (act: BulkStart['act'], row: LetterRow): void =>
    setBulk({ act, destination: row.destination, target: { ids: [row.id] }, what: '1 dead letter' });

  return (
    <>
      <div class="spread">
        <div>
          <h1>Letters</h1>
          <p class="muted" aria-live="polite">
            {count.data ? `${countWords(count.data.count, count.data.atLeast)} ${filter.state ?? 'open'}` : 'Counting…'}
          </p>
        </div>
        <RetentionNote filter={filter} turn={page.data?.now} />
      </div>
      <FilterBar filter={filter} onChange={(changed) => route(to.letters(changed, turn))} />
      {(filter.state ?? 'open') === 'open' && (
        <Histogram
          filter={filter}
          turn={page.data?.now}
          onRange={(range) => route(to.letters({ ...filter, ...range }, turn))}
        />
      )}
      <NewsPill count={news} onShow={showNews} />
      {page.error && <ErrorNote error={page.error} retry={reload} />}
      <section
        class={`card${page.loading && page.data ? ' stale' : ''}`}
        aria-label="Dead letters"
        aria-busy={page.loading}
      >
        {!page.data && !page.error && <Skeleton lines={8} label="Loading the letters" />}
        {page.data && rows.length === 0 && (
          <EmptyState title={noneWords(filter)}>
            {filterKey !== '' && <a href={to.letters()}>Clear the filters</a>}
          </EmptyState>
        )}
        {rows.length > 0 && (
          <LetterTable rows={rows} filter={filter} selection={selection} onSelect={setSelection} onAct={startOne} />
        )}
      </section>
      {page.data?.scanned !== undefined && (
        <Note>
          {numberWords(page.data.scanned)} letters were gone through for this page
          {next === undefined ? '.' : '; the next page goes on from there.'}
        </Note>
      )}
      <nav class="spread" aria-label="Pages">
        <span class="row">
          <ButtonLink small look="quiet" href={to.letters(filter, oldest ? {} : { first: 'oldest' })}>
            {oldest ? 'Newest first' : 'Oldest first'}
          </ButtonLink>
        </span>
        <span class="row">
          {cursor !== undefined && (
            <ButtonLink small href={to.letters(filter, turn)}>
              First page
            </ButtonLink>
          )}
          {next !== undefined && (
            <ButtonLink small href={to.letters(filter, { ...turn, cursor: next })}>
              Next page
            </ButtonLink>
          )}
        </span>
      </nav>
      <BulkBar
        filter={filter}
        rows={rows}
        count={count.data}
        selection={selection}
        onSelect={setSelection}
        onBulk={setBulk}
      />
      {bulk && <Bulk start={bulk} onClose={() => setBulk(undefined)} />}
    </>
  );
}

function noneWords(filter: Filter): string {
  const { destination, ...others } = filter;
  if (filterParams(others).size > 0) return 'No match';
  return destination === undefined ? 'No open dead letters' : `No open dead letters of ${destination}`;
}
