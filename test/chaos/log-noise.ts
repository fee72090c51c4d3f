// How much workers log about trouble: what is not the one line of an attempt, and no plain news.
const WARNING = 40;
/** The one line of each attempt, however it went. */
const ATTEMPT = new Set(['delivered', 'will be retried', 'postponed', 'dead']);
const SECOND_MS = 1000;

/** @returns the most lines of trouble that one worker logged within a second, wherever that second began */
export function noisiestSecond(lines: readonly string[]): { count: number; worker: string; said: string } {
  const byWorker = new Map<string, { at: number; said: string }[]>();
  for (const line of lines) {
    const { worker, at, level, msg } = read(line);
    if (level < WARNING || ATTEMPT.has(msg)) continue;
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), { at, said: msg }]);
  }
  let most = { count: 0, worker: '', said: '' };
  for (const [worker, all] of byWorker) {
    let from = 0;
    all.forEach(({ at, said }, i) => {
      while (at - (all[from]?.at ?? at) >= SECOND_MS) from += 1;
      if (i - from + 1 > most.count) most = { count: i - from + 1, worker, said };
    });
  }
  return most;
}

/** What is no line of ours was printed by somebody else, and counts as trouble of one moment. */
function read(line: string): { worker: string; at: number; level: number; msg: string } {
  try {
    const { worker, time, level, msg } = JSON.parse(line) as {
      worker: string;
      time: string;
      level: number;
      msg: string;
    };
    return { worker, at: Date.parse(time), level, msg };
  } catch {
    return { worker: 'nobody', at: 0, level: WARNING, msg: line.slice(0, 200) };
  }
}
