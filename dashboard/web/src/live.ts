// Tells the views that something changed: server-sent events, and a look every few seconds where they fail. A view
// never moves its rows by itself: it reads `changes`, and offers what is new. A tab that nobody sees listens to nothing:
// a browser opens six connections to a host, for all of its tabs together, and each stream holds one.
import { batch, computed, effect, signal } from '@preact/signals';
import type { Changed } from '../../api/contract/events.ts';
import { addressOf } from './api/client.ts';
import { loadSession, refusedSince, user } from './api/session.ts';

export type LiveState = 'connecting' | 'live' | 'away' | 'polling' | 'paused';
export const live = signal<LiveState>('connecting');
/** Counts up with every change, and with every look while it polls. */
export const changes = signal(0);
/** What the last event said; empty while it polls. */
export const lastChange = signal<Changed | undefined>(undefined);
/** The person's switch. */
export const paused = signal(false);

const POLL_MS = 5000;
const RECONNECT_MS = 30_000;
/** The browser reconnects by itself; after so many failures in a row it is not the network's hiccup. */
const FAILURES = 2;

let stop = (): void => {};

function start(): () => void {
  let source: EventSource | undefined;
  let failures = 0;
  let poll: ReturnType<typeof setInterval> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;

  const connect = (): void => {
    source?.close();
    source = new EventSource(addressOf('events'));
    source.addEventListener('open', () => {
      failures = 0;
      clearInterval(poll);
      poll = undefined;
      batch(() => {
        // What changed while there was no connection, nobody told.
        if (live.value === 'polling') changes.value += 1;
        live.value = 'live';
      });
    });
    source.addEventListener('away', () => {
      live.value = 'away';
    });
    source.addEventListener('changed', (event) => {
      // It knows the destinations of the configuration alone, where it was asked without Redis.
      if (live.value === 'away') void loadSession();
      batch(() => {
        live.value = 'live';
        lastChange.value = parsed(String(event.data));
        changes.value += 1;
      });
    });
    source.addEventListener('error', () => {
      failures += 1;
      const closed = source?.readyState === EventSource.CLOSED;
      if (!closed && failures < FAILURES) return;
      fallBack();
      clearTimeout(again);
      source?.close();
      again = setTimeout(connect, RECONNECT_MS);
    });
  };
  const fallBack = (): void => {
    live.value = 'polling';
    lastChange.value = undefined;
    poll ??= setInterval(() => {
      changes.value += 1;
    }, POLL_MS);
  };

  live.value = 'connecting';
  connect();
  return () => {
    source?.close();
    clearInterval(poll);
    clearTimeout(again);
  };
}

function parsed(text: string): Changed | undefined {
  try {
    return JSON.parse(text) as Changed;
  } catch {
    return undefined;
  }
}

const signedIn = computed(() => user.value !== undefined && refusedSince.value === 0);
const seen = signal(!document.hidden);
document.addEventListener('visibilitychange', () => {
  batch(() => {
    seen.value = !document.hidden;
    // Nobody told it what changed meanwhile.
    if (seen.value && !paused.value) changes.value += 1;
  });
});
effect(() => {
  stop();
  stop = () => {};
  if (paused.value) live.value = 'paused';
  else if (signedIn.value && seen.value) stop = start();
});
