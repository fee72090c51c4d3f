// A retry or a postponement, as BullMQ's script would settle it, and the lookup row by which its newest request_id finds
// the write.
import { BULLMQ, type Script } from './compose.ts';
import { NEXT, REFUSAL } from './leave.ts';
import { IS_COUNT } from './sound.ts';

export const DELAY_KEYS = BULLMQ.moveToDelayed.keys;

/**
 * KEYS: moveToDelayed's, then the row by request_id.
 * ARGV: moveToDelayed's (9), then the request_id of the attempt and the one whose row goes; '' for none.
 * Returns what moveToDelayed returns; a refusal is one of its negative numbers, and nothing is written then.
 */
export const RETRY: Script = {
  name: 'waybill:retry:4',
  keys: DELAY_KEYS + 1,
  lua: `${IS_COUNT}${REFUSAL}${NEXT}
local markerKey, activeKey, prioritizedKey, delayedKey, jobKey, eventsKey, metaKey, stalledKey, waitKey, limiterKey, counterKey, rowsKey = unpack(KEYS)
local prefix, now, jobId, token, delay, isPostponed, fields, isToTakeNext, opts, requestId, gone = unpack(ARGV)
local refused = refusal(jobKey, token)
if refused then return refused end
local attempts, priority = unpack(redis.call('HMGET', jobKey, 'atm', 'priority'), 1, 2)
if redis.call('LREM', activeKey, -1, jobId) == 0 then return -3 end
redis.call('DEL', jobKey .. ':lock')
redis.call('SREM', stalledKey, jobId)

-- BullMQ's: the time in the upper bits, below them the order of those that are due in the same millisecond.
local dueAt = now + math.max(0, delay)
local first, last = dueAt * 0x1000, (dueAt + 1) * 0x1000 - 1
local newest = redis.call('ZREVRANGEBYSCORE', delayedKey, last, first, 'WITHSCORES', 'LIMIT', 0, 1)[2]
redis.call('ZADD', delayedKey, newest and math.min(newest + 1, last) or first, jobId)
local set = fields == '' and {} or cmsgpack.unpack(fields)
local function add(field, value) set[#set + 1] = field; set[#set + 1] = value end
add('delay', delay)
if isPostponed == '0' then add('atm', attempts and isCount(attempts) and attempts + 1 or 1) end
-- One that is no number would end the promotion of all that is due with it.
if priority and not isCount(priority) then add('priority', 0) end
redis.call('HSET', jobKey, unpack(set))
local longest = redis.call('HGET', metaKey, 'opts.maxLenEvents') or 10000
redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'delayed', 'jobId', jobId, 'delay', dueAt)
if gone ~= '' and gone ~= requestId then redis.call('HDEL', rowsKey, gone) end
if requestId ~= '' then redis.call('HSET', rowsKey, requestId, jobId) end

if isToTakeNext == '1' then
  local keys = { waitKey, activeKey, prioritizedKey, eventsKey, stalledKey, limiterKey, delayedKey, '', metaKey, counterKey, markerKey }
  local reply = takeNext(keys, prefix, now, opts)
  if reply and type(reply[1]) == 'table' then return reply end
end
local earliest = redis.call('ZRANGE', delayedKey, 0, 0, 'WITHSCORES')[2]
if earliest then redis.call('ZADD', markerKey, earliest / 0x1000, '1') end
return 0
`,
};
