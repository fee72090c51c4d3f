// Preloaded into a worker whose clock is to be wrong: all of its code reads the time from here. performance.now() goes on
// as it does on a machine whose clock somebody sets.
const TrueDate = Date;
let aheadMs = Number(process.env.CHAOS_CLOCK_AHEAD_MS ?? 0);
const now = (): number => TrueDate.now() + aheadMs;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args: [], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
  get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
});

process.on('message', (message: { clockAheadMs?: number }) => {
  if (message.clockAheadMs === undefined) return;
  aheadMs = message.clockAheadMs;
  process.send?.({ clockAheadMs: aheadMs });
});
