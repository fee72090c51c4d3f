// Loaded into a process beside its program, with --expose-gc: tells, when it is asked, what its heap holds that is in use,
// and how late its event loop was since it was last asked.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

process.on('message', (message) => {
  if (typeof message !== 'object' || !message || !('ask' in message) || message.ask !== 'weight') return;
  const loopMs = delay.percentile(99) / 1e6;
  globalThis.gc?.();
  process.send?.({ heapBytes: process.memoryUsage().heapUsed, loopMs });
  delay.reset();
});
