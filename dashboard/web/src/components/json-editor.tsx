// CodeMirror in a shadow root of its own: there it keeps its styles in an adopted style sheet, where in the document it
// would need a <style> element, which the content security policy forbids. Tab leaves the editor.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, indentOnInput, syntaxTree } from '@codemirror/language';
import { EditorState, type Extension, RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import { useEffect, useRef } from 'preact/hooks';
import { readJson } from './json-text.ts';
import './json-editor.css';

/** How the page's tokens look in an editor. */
const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '0.8125rem' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)', minHeight: '7.75rem' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--text-muted)', borderRight: '1px solid var(--line)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--accent-soft)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-specialChar': { color: 'var(--bad)' },
  '.cm-json-key': { color: 'var(--accent)' },
  '.cm-json-string': { color: 'var(--good)' },
  '.cm-json-number': { color: 'var(--warn)' },
  '.cm-json-word': { color: 'var(--bad)' },
  '.cm-json-fault': { textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '3px' },
  '.cm-json-mask': { backgroundColor: 'var(--warn-soft)', outline: '1px dashed var(--warn)' },
  '.cm-json-mask *': { color: 'var(--warn)' },
  '.cm-changedLine, &.cm-merge-b .cm-changedLine, .cm-insertedLine': { backgroundColor: 'var(--good-soft)' },
  '&.cm-merge-a .cm-changedLine, .cm-deletedChunk, .cm-deletedLine': { backgroundColor: 'var(--bad-soft)' },
  '&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText': {
    background: 'none',
    textDecoration: 'underline 2px var(--good)',
  },
  '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': {
    background: 'none',
    textDecoration: 'underline 2px var(--bad)',
  },
  '.cm-changedLineGutter': { backgroundColor: 'var(--good)' },
  '&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter': { backgroundColor: 'var(--bad)' },
});

const CLASSES: Record<string, string> = {
  PropertyName: 'cm-json-key',
  String: 'cm-json-string',
  Number: 'cm-json-number',
  True: 'cm-json-word',
  False: 'cm-json-word',
  Null: 'cm-json-word',
};
const MARKS = Object.fromEntries(
  Object.entries(CLASSES).map(([node, name]) => [node, Decoration.mark({ class: name })]),
);
const FAULT = Decoration.mark({ class: 'cm-json-fault' });
const MASK = Decoration.mark({
  class: 'cm-json-mask',
  attributes: { title: 'Masked: left as it is, it stands for the value' },
});
/** Longer texts are checked when they are sent alone. */
const MAX_CHECKED = 500_000;

/** Colours, the first fault, and masks. */
const colours = (masks: ReadonlySet<string>): Extension =>
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorate(view, masks);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged || update.viewportChanged || syntaxTree(update.startState) !== syntaxTree(update.state))
          this.decorations = decorate(update.view, masks);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );

function decorate(view: EditorView, masks: ReadonlySet<string>): DecorationSet {
  const { doc } = view.state;
  const builder = new RangeSetBuilder<Decoration>();
  const fault = doc.length <= MAX_CHECKED ? readJson(doc.toString()).fault : undefined;
  const ranges: { from: number; to: number; mark: Decoration }[] = [];
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(view.state).iterate({
      from,
      to,
      enter: (node) => {
        const mark = MARKS[node.name];
        if (mark) ranges.push({ from: node.from, to: node.to, mark });
        if (node.name === 'String' && masks.has(doc.sliceString(node.from, node.to)))
          ranges.push({ from: node.from, to: node.to, mark: MASK });
      },
    });
  }
  if (fault && doc.length > 0) {
    const from = Math.min(fault.at, doc.length - 1);
    ranges.push({ from, to: from + 1, mark: FAULT });
  }
  ranges.sort((a, b) => a.from - b.from || b.to - a.to);
  for (const { from, to, mark } of ranges) builder.add(from, to, mark);
  return builder.finish();
}

/**
 * What the editor and the diff have in common.
 * @param label the accessible name of the text
 */
export const jsonText = (label: string, masks: ReadonlySet<string>): Extension => [
  // Only \n ends a line: whatever else stands in the text comes out as it went in.
  EditorState.lineSeparator.of('\n'),
  lineNumbers(),
  highlightSpecialChars(),
  EditorView.lineWrapping,
  json(),
  colours(masks),
  theme,
  EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', dir: 'ltr' }),
];

/** @returns the one root in which CodeMirror may live under the policy */
export const shadowOf = (host: HTMLElement): ShadowRoot => host.shadowRoot ?? host.attachShadow({ mode: 'open' });

/** @param start the text at first; another one starts the editor anew, its history with it */
export function JsonEditor(props: {
  start: string;
  label: string;
  masks: ReadonlySet<string>;
  onInput: (text: string) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const input = useRef(props.onInput);
  input.current = props.onInput;
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = shadowOf(element);
    const view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: props.start,
        extensions: [
          jsonText(props.label, props.masks),
          history(),
          drawSelection(),
          bracketMatching(),
          indentOnInput(),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) input.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    // From outside a shadow root nobody sees that somebody is typing: the page's single keys must not hear of it.
    const quiet = (event: Event): void => event.stopPropagation();
    element.addEventListener('keydown', quiet);
    return () => {
      element.removeEventListener('keydown', quiet);
      view.destroy();
    };
  }, [props.start]);
  return <div class="json-editor" ref={host} />;
}
