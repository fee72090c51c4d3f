// The time as the server has it: people's clocks differ by minutes, and a key's countdown must not.
import { signal } from '@preact/signals';

/** Server minus browser, ms. */
export const clockSkewMs = signal(0);
export const serverNow = (): number => Date.now() + clockSkewMs.value;

/** Moves every second, for countdowns; relative times look at `now10` and redraw less. */
export const now = signal(Date.now());
export const now10 = signal(Date.now());

let ticks = 0;
setInterval(() => {
  // A page that nobody sees counts nothing; it catches up with the next tick.
  if (document.hidden) return;
  now.value = serverNow();
  if (ticks % 10 === 0) now10.value = now.value;
  ticks += 1;
}, 1000);
