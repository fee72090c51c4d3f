// Short news at the edge, read out politely: `toast('Replayed')`. An error stays until it is closed.
import { signal } from '@preact/signals';
import { Icon } from './icon.tsx';

interface Toast {
  id: number;
  text: string;
  tone: 'good' | 'bad';
  link?: { href: string; text: string };
}

const SHOWN_MS = 6000;
const toasts = signal<Toast[]>([]);
let lastId = 0;

const close = (id: number): void => {
  toasts.value = toasts.value.filter((each) => each.id !== id);
};

export function toast(text: string, tone: 'good' | 'bad' = 'good', link?: { href: string; text: string }): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone, ...(link && { link }) }];
  if (tone === 'good') setTimeout(() => close(id), SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite" aria-label="News">
      {toasts.value.map(({ id, text, tone, link }) => (
        <div key={id} class={`toast toast-${tone}`}>
          <span>
            {text} {link && <a href={link.href}>{link.text}</a>}
          </span>
          <button type="button" class="link-button toast-close" aria-label="Close" onClick={() => close(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
