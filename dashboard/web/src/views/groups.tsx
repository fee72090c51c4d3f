// The landing: what died, folded to what is really wrong. By destination, code and field.
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import type { GroupList } from '../../../api/contract/letters.ts';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { may } from '../api/session.ts';
import { Segments } from '../components/field.tsx';
import { ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { NewsPill } from '../components/news-pill.tsx';
import { filterParams, type Filter, readFilter } from '../logic/filter-url.ts';
import { counted, countWords, numberWords } from '../logic/number-words.ts';
import { useNews } from '../news.ts';
import { serverNow } from '../now.ts';
import { below, PATHS } from '../routes.ts';
import { Bulk, type BulkStart } from './bulk/bulk-dialog.tsx';
import { NoLetters } from './groups/no-letters.tsx';
import { GroupRow } from './groups/group-row.tsx';

const DAY_MS = 86_400_000;
const WINDOWS = [
  ['24h', '24 h', DAY_MS],
  ['7d', '7 d', 7 * DAY_MS],
  ['all', 'All', undefined],
] as const;
type Window = (typeof WINDOWS)[number][0];
const SLICES = 40;

export function Groups() {
  const { query, route } = useLocation();
  const [bulk, setBulk] = useState<BulkStart>();
  const span = WINDOWS.find(([name]) => name === query['window']) ?? WINDOWS[2];
  const filter: Filter = readFilter(new URLSearchParams(query));
  const key = `${filterParams(filter)} ${span[0]}`;
  const timed = (): Filter => (span[2] === undefined ? filter : { ...filter, since: serverNow() - span[2] });
  const loaded = useLoad(key, async (signal) => {
    const asked = timed();
    const params = filterParams(asked);
    params.set('slices', String(SLICES));
    return { asked, list: await call('groups', { query: params, signal }) };
  });
  const { data, error } = loaded;
  const news = useNews(filter, data?.list.now);
  useEffect(() => {
    document.title = 'Dead letters · Waybill';
  }, []);

  const choose = (name: Window): void => {
    const params = filterParams(filter);
    if (name !== 'all') params.set('window', name);
    route(`${below(PATHS.groups)}${params.size === 0 ? '' : `?${params}`}`);
  };
  return (
    <>
      <div class="spread">
        <div>
          <h1>Dead letters</h1>
          <p class="muted" aria-live="polite">
            {data ? summary(data.list) : 'Counting…'}
            {!may('operator') && '. You may look; to replay or discard needs the role operator.'}
          </p>
        </div>
        <Segments
          label="Died within"
          name="window"
          options={WINDOWS.map(([name, words]) => [name, words] as const)}
          value={span[0]}
          onChange={choose}
        />
      </div>
      <NewsPill count={news} onShow={loaded.reload} />
      {error && <ErrorNote error={error} retry={loaded.reload} />}
      {!data && !error && (
        <div class="card">
          <Skeleton lines={6} label="Loading the groups" />
        </div>
      )}
      {data && data.list.groups.length === 0 && data.list.other === 0 && (
        <NoLetters
          lastDeadAt={data.list.lastDeadAt}
          filtered={filterParams(data.asked).size > 0}
          destination={data.asked.destination}
        />
      )}
      {data && data.list.groups.length > 0 && (
        <ul class={`groups card${loaded.loading ? ' stale' : ''}`} aria-label="Groups" aria-busy={loaded.loading}>
          {data.list.groups.map((group) => (
            <GroupRow
              key={`${group.destination} ${group.code} ${group.field}`}
              group={group}
              list={data.list}
              asked={data.asked}
              onBulk={setBulk}
            />
          ))}
        </ul>
      )}
      {data && data.list.other > 0 && (
        <Note>
          {counted(data.list.other, 'more dead letter')} stand in no group: there are too many different codes to keep
          them all apart, or an older version filed them and <code>waybill dead-letters reindex</code> was not run
          since. The list has them.
        </Note>
      )}
      {data?.list.more && (
        <Note>
          {numberWords(data.list.total)} groups; the largest {numberWords(data.list.groups.length)} are shown. Choose a
          destination to see others.
        </Note>
      )}
      {bulk && <Bulk start={bulk} onClose={() => setBulk(undefined)} />}
    </>
  );
}

function summary({ groups, total, other, atLeast }: GroupList): string {
  const count = groups.reduce((sum, group) => sum + group.count, other);
  return `${countWords(count, atLeast)} open in ${counted(total, 'group')}`;
}
