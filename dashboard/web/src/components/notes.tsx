// What is said where something is wrong, empty or not there yet: `<ErrorNote>`, `<Note>`, `<EmptyState>`, `<Skeleton>`.
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { Upstream } from './upstream.tsx';

export function Note(props: { children: ComponentChildren; tone?: 'plain' | 'good' | 'warn' | 'bad' }) {
  const { tone = 'plain' } = props;
  return <div class={`note${tone === 'plain' ? '' : ` note-${tone}`}`}>{props.children}</div>;
}

/** An error as the API answered it: code, message, request_id to copy; with `retry` a button. */
export function ErrorNote(props: { error: ApiError; retry?: () => void }) {
  const { error } = props;
  return (
    <div class="note note-bad" role="alert">
      <strong class="mono">{error.code}</strong>
      <Upstream text={error.message} show="whole" />
      {error.requestId !== undefined && (
        <span class="row small">
          <span>
            request_id <code>{error.requestId}</code>
          </span>
          <CopyButton text={error.requestId} what="request_id of the error" />
        </span>
      )}
      {props.retry && (
        <Button small onClick={props.retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function EmptyState(props: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
        <rect x="6" y="10" width="36" height="28" rx="4" />
        <path d="M6 28h10l3 4h10l3-4h10" />
      </svg>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

/** Stands where something is being loaded, in as many lines. */
export function Skeleton(props: { lines?: number; label?: string }) {
  return (
    <div class="stack-tight card-body" role="status" aria-label={props.label ?? 'Loading'}>
      {Array.from({ length: props.lines ?? 4 }, (_, line) => (
        <span key={line} class="skeleton" style={{ width: `${90 - ((line * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
