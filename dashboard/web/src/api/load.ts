// What a view shows, loaded: `const letters = useLoad(key, (signal) => call('letters', { query, signal }))`. Another key
// loads again and keeps showing the last answer until then; a view that goes away aborts its call. Where the server or its
// Redis is away it asks again by itself.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './client.ts';
import { refusedSince } from './session.ts';

export interface Loaded<T> {
  /** The last answer; of another key while `loading`. */
  data?: T;
  /** The key that `data` belongs to. */
  key?: string;
  error?: ApiError;
  loading: boolean;
  /** Asks again; what is shown stays until the answer is there. */
  reload: () => void;
}

const AGAIN_MS = 3000;

/** @param key names what is loaded; undefined loads nothing */
export function useLoad<T>(key: string | undefined, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ data?: T; key?: string; error?: ApiError; loading: boolean }>({
    loading: key !== undefined,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    // What is away is said until it is back: it would flicker with each look.
    setState(({ error: was, ...before }) => ({ ...before, ...(was?.isAway && { error: was }), loading: true }));
    latest.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ data, key, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        // What is no answer of the API's is a mistake of the page's own.
        const shown = error instanceof ApiError ? error : new ApiError(0, 'PAGE_ERROR', String(error));
        setState((before) => ({ ...before, error: shown, loading: false }));
        if (shown.isAway) again = setTimeout(() => setTurn((n) => n + 1), AGAIN_MS);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(again);
    };
  }, [key, turn]);

  const signedIn = refusedSince.value === 0;
  useEffect(() => {
    if (signedIn && state.error?.status === 401) setTurn((n) => n + 1);
  }, [signedIn]);

  return { ...state, reload: useCallback(() => setTurn((n) => n + 1), []) };
}
