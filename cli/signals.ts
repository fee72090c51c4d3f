// Signals, for the commands that run until they are told to stop. A tiny helper of run.ts: nothing else listens to the process.
import { EXIT } from './exit-codes.ts';

export interface Stopping {
  /** Aborted by the first signal, or when the parent that holds our channel is gone. `reason` is its name. */
  asked: AbortSignal;
  /** Aborted by the second. A third ends the process at once. */
  force: AbortSignal;
}

/** A terminal's Ctrl-C reaches the whole foreground group, and npm passes it on once more: that is one request. */
const SAME_REQUEST_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function listenForStop(process: NodeJS.Process): Stopping {
  const asked = new AbortController();
  const force = new AbortController();
  let lastAt = -Infinity;
  const onRequest = (reason: string): void => {
    const now = performance.now();
    if (now - lastAt < SAME_REQUEST_MS) return;
    lastAt = now;
    if (!asked.signal.aborted) asked.abort(reason);
    else if (!force.signal.aborted) force.abort(reason);
    else process.exit(EXIT.interrupted);
  };
  for (const name of SIGNALS) process.on(name, () => onRequest(name));
  // Whoever started us with a channel was to stop us, and cannot any more: a killed `dev` leaves no worker.
  if (process.channel) {
    process.once('disconnect', () => asked.abort('the parent process ended'));
    // The listener alone would keep a worker that has stopped from ending.
    process.channel.unref();
  }
  return { asked: asked.signal, force: force.signal };
}
