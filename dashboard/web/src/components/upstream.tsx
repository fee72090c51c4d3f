// Text that somebody else wrote (codes, messages, paths, ids): always text, kept apart from the direction of what
// stands around it, and cut off by its box. Control characters are made visible.
import { visible } from '../logic/visible.ts';

export function Upstream(props: {
  text: string;
  /** One line, the rest in the title (default); `clamp` shows two lines, `whole` everything. */
  show?: 'cut' | 'clamp' | 'whole';
  mono?: boolean;
}) {
  const { show = 'cut', mono = false } = props;
  const text = visible(props.text);
  const shown = show === 'whole' ? text : text.slice(0, SHOWN);
  return (
    <bdi
      dir="auto"
      class={[show === 'whole' ? '' : show, mono ? 'mono' : ''].join(' ').trim() || undefined}
      title={show === 'whole' || text.length < 24 ? undefined : text.slice(0, TITLE)}
    >
      {shown}
    </bdi>
  );
}
/** More than a cut line can show; 10 KB in each row would only be laid out to be hidden. */
const SHOWN = 400;
const TITLE = 1000;
