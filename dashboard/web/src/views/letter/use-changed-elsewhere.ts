// Whether the letter that is shown was changed by somebody else: what is shown stays, and the page offers the new one.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { call } from '../../api/client.ts';
import { changes, lastChange } from '../../live.ts';

/** What a person would see the difference of. */
const markOf = ({ letter, acts, writeState, replacedBy }: LetterDetail): string =>
  JSON.stringify([letter.state, acts.length, acts.at(-1)?.at, writeState, replacedBy?.jobId]);

/** @returns the newer letter, where it differs from the one that is shown */
export function useChangedElsewhere(shown: LetterDetail | undefined): LetterDetail | undefined {
  const [newer, setNewer] = useState<LetterDetail>();
  const first = useRef(true);
  const audit = useRef<string | undefined>(undefined);
  const tick = changes.value;
  const destination = shown?.letter.destination;
  const id = shown?.letter.id;

  useEffect(() => setNewer(undefined), [shown]);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    if (destination === undefined || id === undefined) return;
    // An event says which destinations had an act; a replayed letter's write goes on without one.
    const mark = lastChange.value?.destinations[destination]?.audit;
    if (mark !== undefined && mark === audit.current && shown?.letter.state === 'open') return;
    audit.current = mark;
    const abort = new AbortController();
    call('letter', { params: { destination, id }, signal: abort.signal }).then(
      (now) => {
        if (!abort.signal.aborted && shown && markOf(now) !== markOf(shown)) setNewer(now);
      },
      () => {
        // The next change asks again.
      },
    );
    return () => abort.abort();
  }, [tick]);
  return newer;
}
