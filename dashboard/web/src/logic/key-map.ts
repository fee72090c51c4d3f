// Which key does what, and when a key press is somebody typing. Pure.

export const KEYS = {
  j: 'next row',
  k: 'previous row',
  x: 'select the row',
  Enter: 'open the row',
  e: 'edit and replay',
  r: 'replay',
  d: 'discard',
  '/': 'search',
  '?': 'these keys',
} as const;
export type Key = keyof typeof KEYS;

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  defaultPrevented: boolean;
  isComposing: boolean;
  /** Tag name of what has the focus, in capitals, and whether it is edited in. */
  focus: { tag: string; editable: boolean; type?: string };
  /** A dialog is open. */
  modal: boolean;
}

const isKey = (key: string): key is Key => Object.hasOwn(KEYS, key);
const TICKED = ['checkbox', 'radio', 'button', 'submit'];

/** @returns the key, where the press is meant for the page */
export function keyOf(press: Press): Key | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey || press.defaultPrevented || press.isComposing) return undefined;
  if (press.modal || !isKey(press.key)) return undefined;
  const { tag, editable, type = '' } = press.focus;
  if (editable || tag === 'TEXTAREA' || tag === 'SELECT') return undefined;
  if (tag === 'INPUT' && !TICKED.includes(type)) return undefined;
  // Enter presses what has the focus.
  if (press.key === 'Enter' && ['A', 'BUTTON', 'INPUT', 'SUMMARY'].includes(tag)) return undefined;
  return press.key;
}
