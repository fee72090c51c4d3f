// Loaded into a process beside its program, with --expose-gc: tells, when it is asked, what its heap holds that is in use.
process.on('message', (message) => {
  if (typeof message !== 'object' || !message || !('ask' in message) || message.ask !== 'heap') return;
  globalThis.gc?.();
  process.send?.({ heapBytes: process.memoryUsage().heapUsed });
});
