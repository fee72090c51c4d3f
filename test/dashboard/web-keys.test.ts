// Single keys work beside what a person types, never in it.
import { expect, test } from 'vitest';
import { keyOf, type Press } from '../../dashboard/web/src/logic/key-map.ts';

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  defaultPrevented: false,
  isComposing: false,
  modal: false,
  focus: { tag: 'BODY', editable: false },
  ...more,
});

test.each(['j', 'k', 'x', 'Enter', 'e', 'r', 'd', '/', '?'])('%s is one of the keys', (key) => {
  expect(keyOf(press(key))).toBe(key);
});

test.each([
  ['another key', press('q')],
  ['the name of a property of every object', press('toString')],
  ['ctrl', press('r', { ctrlKey: true })],
  ['cmd', press('r', { metaKey: true })],
  ['alt', press('d', { altKey: true })],
  ['a key that was taken by something else', press('j', { defaultPrevented: true })],
  ['half a character', press('j', { isComposing: true })],
  ['an open dialog', press('d', { modal: true })],
  ['a text field', press('d', { focus: { tag: 'INPUT', editable: false, type: 'text' } })],
  ['a search field', press('/', { focus: { tag: 'INPUT', editable: false, type: 'search' } })],
  ['a longer text', press('d', { focus: { tag: 'TEXTAREA', editable: false } })],
  ['an editor', press('d', { focus: { tag: 'DIV', editable: true } })],
  ['a choice', press('d', { focus: { tag: 'SELECT', editable: false } })],
  ['Enter on a link, which opens it', press('Enter', { focus: { tag: 'A', editable: false } })],
])('%s is left alone', (_, given) => {
  expect(keyOf(given)).toBeUndefined();
});

test('a ticked box and a link with the focus leave the keys to the page', () => {
  expect(keyOf(press('x', { focus: { tag: 'INPUT', editable: false, type: 'checkbox' } }))).toBe('x');
  expect(keyOf(press('j', { focus: { tag: 'A', editable: false } }))).toBe('j');
});
