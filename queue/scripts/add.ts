// Compare and add in one step: a read beforehand or afterwards would race with other producers
// and with retention.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { PAYLOAD_HASH_FIELD } from '../keys.ts';

export type AddCommand = 'addStandardJob' | 'addDelayedJob' | 'addPrioritizedJob';

/**
 * Lua: what is answered where a job stands under this id; nothing where the write is to be added, and whether it was
 * started before. One that bears no hash was not made by add(): it counts as another payload.
 */
const COMPARE = `
local function compare(jobKey, jobId, hash)
  if redis.call('EXISTS', jobKey) == 0 then
    -- Its record was evicted while a worker sends it.
    return nil, redis.call('EXISTS', jobKey .. ':lock') == 1
  end
  -- Those of before begin with it, and are longer.
  local known = redis.call('HGET', jobKey, '${PAYLOAD_HASH_FIELD}')
  if not known or string.sub(known, 1, #hash) ~= hash then return { 'conflict', jobId } end
  local stored = redis.call('HMGET', jobKey, 'data', 'opts', 'timestamp')
  return { 'duplicate', jobId, stored[1] or '', stored[2] or '', stored[3] or '' }
end
`;

/**
 * Adds a write that may be sent at once, as BullMQ's script would: less its numbering of jobs, and what it does for flows,
 * repeating and deduplication, which add() refuses; and less a delay and a priority of 0, as which BullMQ reads what is
 * not there.
 * KEYS: wait, active, meta, events, marker, the job's own.
 * ARGV: job id, name, data, opts, epoch ms, the payload's hash.
 */
const ADD_AT_ONCE: Script = {
  name: 'waybill:add:4',
  keys: 6,
  lua: `${COMPARE}
local waitKey, activeKey, metaKey, eventsKey, markerKey, jobKey = unpack(KEYS)
local jobId, name, data, opts, now, hash = unpack(ARGV)
local answer, wasStarted = compare(jobKey, jobId, hash)
if answer then return answer end
local paused, most, longest = unpack(redis.call('HMGET', metaKey, 'paused', 'concurrency', 'opts.maxLenEvents'), 1, 3)
redis.call('HSET', jobKey, 'name', name, 'data', data, 'opts', opts, 'timestamp', now, '${PAYLOAD_HASH_FIELD}', hash)
if wasStarted then
  -- It stands among the active ones still: that start ends it, or is lost.
  redis.call('HSET', jobKey, 'ats', 1)
  return { 'queued', jobId }
end
if not longest then
  longest = 10000
  redis.call('HSET', metaKey, 'opts.maxLenEvents', longest)
end
redis.call('XADD', eventsKey, '*', 'event', 'added', 'jobId', jobId, 'name', name)
redis.call('LPUSH', waitKey, jobId)
if not paused and not (most and redis.call('LLEN', activeKey) >= tonumber(most)) then redis.call('ZADD', markerKey, 0, '0') end
redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'waiting', 'jobId', jobId)
return { 'queued', jobId }
`,
};

/**
 * KEYS: those of BullMQ's script, then the job's own key.
 * ARGV: those of BullMQ's script (3), then the payload's hash.
 * Returns { 'queued' | 'conflict', job id }, { 'duplicate', job id, its data, opts, timestamp }, or BullMQ's negative refusal.
 */
function compose(command: AddCommand): Script {
  const keys = BULLMQ[command].keys;
  return {
    name: `waybill:${command}:3`,
    keys: keys + 1,
    lua: `${COMPARE}
local jobKey = KEYS[${keys + 1}]
local jobId = cmsgpack.unpack(ARGV[1])[2]
local answer, wasStarted = compare(jobKey, jobId, ARGV[4])
if answer then return answer end
${asFunction(command)}${SLICE}
local added = ${command}(slice(KEYS, 1, ${keys}), slice(ARGV, 1, 3))
if type(added) == 'number' and added < 0 then return added end
redis.call('HSET', jobKey, '${PAYLOAD_HASH_FIELD}', ARGV[4])
if wasStarted then redis.call('HSET', jobKey, 'ats', 1) end
return { 'queued', jobId }
`,
  };
}

export const ADD_SCRIPTS: Record<AddCommand, Script> = {
  addStandardJob: ADD_AT_ONCE,
  addDelayedJob: compose('addDelayedJob'),
  addPrioritizedJob: compose('addPrioritizedJob'),
};
