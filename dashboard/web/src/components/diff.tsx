// Two JSON texts and what differs: side by side, or one below the other where there is no room.
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'preact/hooks';
import { jsonText, shadowOf } from './json-editor.tsx';

const WIDE = '(min-width: 800px)';

export function JsonDiff(props: { before: string; after: string; masks: ReadonlySet<string> }) {
  const host = useRef<HTMLDivElement>(null);
  const { before, after, masks } = props;
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = shadowOf(element);
    const wide = matchMedia(WIDE);
    let view: MergeView | EditorView;
    const readOnly = (label: string) => [
      jsonText(label, masks),
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
    ];
    const show = (): void => {
      view?.destroy();
      view = wide.matches
        ? new MergeView({
            parent: root,
            root,
            a: { doc: before, extensions: readOnly('Before') },
            b: { doc: after, extensions: readOnly('After') },
          })
        : new EditorView({
            parent: root,
            root,
            doc: after,
            extensions: [
              readOnly('After, with what was removed'),
              unifiedMergeView({ original: before, mergeControls: false }),
            ],
          });
    };
    show();
    wide.addEventListener('change', show);
    return () => {
      wide.removeEventListener('change', show);
      view.destroy();
    };
  }, [before, after]);
  return <div class="json-diff" ref={host} role="region" aria-label="What differs in the body" tabIndex={0} />;
}
