// Waybill's Lua is composed out of BullMQ's own scripts, so that what it writes is what BullMQ would have written.
// Each of them ends in `return`, hence becomes a function whose KEYS and ARGV shadow the script's.
// The import is of a path that BullMQ does not promise: bullmq is pinned exactly and test/queue/contract.test.ts
// compares the keys that both ways write.
import {
  addDelayedJob,
  addPrioritizedJob,
  addStandardJob,
  moveStalledJobsToWait,
  moveToActive,
  moveToDelayed,
  moveToFinished,
  pause,
} from 'bullmq/dist/cjs/scripts/index.js';

export interface Script {
  /** Bears a version, as several versions of Waybill may share one Redis client. */
  name: string;
  keys: number;
  lua: string;
}

type Composed =
  | 'addDelayedJob'
  | 'addPrioritizedJob'
  | 'addStandardJob'
  | 'moveStalledJobsToWait'
  | 'moveToActive'
  | 'moveToDelayed'
  | 'moveToFinished'
  | 'pause';

export const BULLMQ: Record<Composed, { content: string; keys: number }> = {
  addDelayedJob,
  addPrioritizedJob,
  addStandardJob,
  moveStalledJobsToWait,
  moveToActive,
  moveToDelayed,
  moveToFinished,
  pause,
};

/** `local function <name>(KEYS, ARGV) … end` around one of BullMQ's scripts. */
export function asFunction(name: keyof typeof BULLMQ): string {
  return `local function ${name}(KEYS, ARGV)\n${BULLMQ[name].content}\nend\n`;
}

/** Lua: the slice of a table, as a new table. ARGV holds no nil: every argument is a string by then. */
export const SLICE = 'local function slice(list, from, to) return { unpack(list, from, to) } end\n';

/** Lua: removes a job and what BullMQ hangs on it. */
export const FORGET = `
local function forget(jobKey)
  redis.call('DEL', jobKey, jobKey .. ':logs', jobKey .. ':dependencies', jobKey .. ':processed', jobKey .. ':failed', jobKey .. ':unsuccessful')
end
`;
