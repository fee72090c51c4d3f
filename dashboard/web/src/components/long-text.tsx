// Somebody else's text in full, where it is of a length that one reads; of a longer one its beginning, and the rest when
// it is asked for.
import { useState } from 'preact/hooks';
import { byteWords } from '../logic/number-words.ts';
import { Upstream } from './upstream.tsx';

const READ = 600;

export function LongText(props: { text: string; mono?: boolean }) {
  const { text, mono = false } = props;
  const [whole, setWhole] = useState(false);
  if (text.length <= READ || whole) return <Upstream text={text} mono={mono} show="whole" />;
  return (
    <>
      <Upstream text={`${text.slice(0, READ)}…`} mono={mono} show="whole" />{' '}
      <button type="button" class="link-button small" onClick={() => setWhole(true)}>
        Show all {byteWords(text.length)}
      </button>
    </>
  );
}
