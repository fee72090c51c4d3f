// Light, dark or the system's. public/theme.js sets the stored one before the first paint.
import { effect } from '@preact/signals';
import { stored } from './stored.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export const theme = stored('theme', THEMES, 'system');

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
