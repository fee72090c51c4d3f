// Whether the window has room for two columns. Where only the look differs, the style sheet asks; this is for what stands in
// another order then, for eyes, ears and the tab key alike.
import { signal } from '@preact/signals';

const query = matchMedia('(min-width: 1024px)');
export const isWide = signal(query.matches);
query.addEventListener('change', () => {
  isWide.value = query.matches;
});
