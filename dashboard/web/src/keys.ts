// Single keys, which a person can switch off: `useKeys({ j: next, k: previous })` while a view is shown.
import { useEffect, useRef } from 'preact/hooks';
import { type Key, keyOf } from './logic/key-map.ts';
import { stored } from './stored.ts';

export const keysOn = stored('keys', ['on', 'off'], 'on');

export function useKeys(acts: Partial<Record<Key, () => void>>): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (keysOn.value === 'off') return;
      const focus = document.activeElement;
      const key = keyOf({
        key: event.key,
        ctrlKey: event.ctrlKey,
        metaKey: event.metaKey,
        altKey: event.altKey,
        defaultPrevented: event.defaultPrevented,
        isComposing: event.isComposing,
        focus: {
          tag: focus?.tagName ?? '',
          editable: focus instanceof HTMLElement && focus.isContentEditable,
          ...(focus instanceof HTMLInputElement && { type: focus.type }),
        },
        modal: document.querySelector('dialog[open]') !== null,
      });
      const act = key && latest.current[key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
