// JSON text to read: laid out and coloured, its digits as they came, masked values marked. What is no JSON is shown as
// it is; what is very long is shown in part until one asks for all.
import { useMemo, useState } from 'preact/hooks';
import { byteWords } from '../logic/number-words.ts';
import { visible } from '../logic/visible.ts';
import { type JsonToken, layOut, readJson } from './json-text.ts';
import './json-view.css';

/** Each token is an element of its own. */
const MAX_TOKENS = 4000;
const MAX_PLAIN = 20_000;

export function JsonView(props: {
  text: string;
  label: string;
  /** JSON pointers of masked values. */
  masked?: readonly string[];
}) {
  const { text, masked = [] } = props;
  const [whole, setWhole] = useState(false);
  const tokens = useMemo(() => {
    const read = readJson(text);
    return read.tokens && layOut(read.tokens);
  }, [text]);
  const cut = !whole && (tokens ? tokens.length > MAX_TOKENS : text.length > MAX_PLAIN);
  const isMasked = (token: JsonToken): boolean =>
    token.pointer !== undefined &&
    masked.some((pointer) => token.pointer === pointer || token.pointer!.startsWith(`${pointer}/`));
  return (
    <div class="json-box">
      <pre class="json" tabIndex={0} role="region" aria-label={props.label} dir="ltr">
        {tokens
          ? tokens.slice(0, cut ? MAX_TOKENS : undefined).map((token) =>
              token.kind === 'space' || (token.kind === 'mark' && !isMasked(token)) ? (
                token.text
              ) : isMasked(token) ? (
                <mark class="json-mask" title="Masked: the value itself is kept, and is not shown here">
                  {visible(token.text)}
                </mark>
              ) : (
                <bdi class={`json-${token.kind}`}>{visible(token.text)}</bdi>
              ),
            )
          : visible(cut ? text.slice(0, MAX_PLAIN) : text)}
        {cut && ' …'}
      </pre>
      {cut && (
        <button type="button" class="link-button small" onClick={() => setWhole(true)}>
          Show all {byteWords(text.length)}
        </button>
      )}
    </div>
  );
}
