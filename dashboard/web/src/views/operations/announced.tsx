// The progress, read out now and then: every step of it would be noise.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Operation } from '../../../../api/contract/operations.ts';
import { progressWords } from '../../logic/operation-words.ts';

const ANNOUNCE_MS = 10_000;

export function Announced({ operation }: { operation: Operation }) {
  const words = progressWords(operation);
  const [told, setTold] = useState(words);
  const last = useRef({ at: Date.now(), state: operation.state });
  useEffect(() => {
    const changed = last.current.state !== operation.state;
    if (!changed && Date.now() - last.current.at < ANNOUNCE_MS) return;
    last.current = { at: Date.now(), state: operation.state };
    setTold(words);
  }, [words, operation.state]);
  return (
    <>
      <p aria-hidden="true">{words}</p>
      <p class="unseen" role="status">
        {told}
      </p>
    </>
  );
}
