// How many dead letters came since a view was read, for the "12 new" pill.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from './api/client.ts';
import { changes } from './live.ts';
import { type Filter, filterParams } from './logic/filter-url.ts';

/** @param since when the view was read, server's time; undefined while it is not */
export function useNews(filter: Filter, since: number | undefined): number {
  const [count, setCount] = useState(0);
  const asking = useRef(false);
  const change = changes.value;
  const key = filterParams(filter).toString();
  const seen = useRef(change);
  useEffect(() => {
    setCount(0);
    seen.current = changes.value;
  }, [since, key]);
  useEffect(() => {
    // Changes come faster than a count: the one that runs tells enough, and the next change asks again.
    if (since === undefined || change === seen.current || asking.current) return;
    const abort = new AbortController();
    asking.current = true;
    const fresh = { ...filter, since: Math.max(since, filter.since ?? 0) };
    call('countLetters', { query: filterParams(fresh), signal: abort.signal })
      .then(
        (answer) => setCount(answer.count),
        // The view's own error says it, when it is read the next time.
        () => {},
      )
      .finally(() => {
        asking.current = false;
      });
    return () => abort.abort();
  }, [change, since, key]);
  return count;
}
