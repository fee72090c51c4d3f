// Loaded into a worker beside its program: tells, when it is asked, what stands on the prototype of every object.
process.on('message', (message) => {
  if (typeof message !== 'object' || !message || !('ask' in message) || message.ask !== 'intrinsics') return;
  process.send?.({ intrinsics: Object.getOwnPropertyNames(Object.prototype).toSorted() });
});
