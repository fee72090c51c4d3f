// Settling a write that is tried again later, as a function of the script that settles.

/**
 * Lua: a retry or a postponement, as BullMQ's script would settle it, and the lookup row by which its newest request_id finds
 * the write.
 * delayMs: 0 or more; isPostponed: 1 where no attempt is counted; progress: the journal's JSON, or ''; others: further fields,
 * a flat JSON array, or ''; requestId, gone: of this attempt and of the one whose row goes, '' for none.
 */
export const RETRY = `
local function retry(jobId, token, now, isToTakeNext, delayMs, isPostponed, progress, others, requestId, gone)
  local jobKey = prefix .. jobId
  local refused = refusal(jobKey, token)
  if refused then return refused end
  local attempts, priority = unpack(redis.call('HMGET', jobKey, 'atm', 'priority'), 1, 2)
  local set = others == '' and {} or cjson.decode(others)
  if redis.call('LREM', activeKey, -1, jobId) == 0 then return -3 end
  redis.call('DEL', jobKey .. ':lock')
  redis.call('SREM', stalledKey, jobId)

  -- BullMQ's: the time in the upper bits, below them the order of those that are due in the same millisecond.
  local dueAt = now + math.max(0, delayMs)
  local first, last = dueAt * 0x1000, (dueAt + 1) * 0x1000 - 1
  local newest = redis.call('ZREVRANGEBYSCORE', delayedKey, last, first, 'WITHSCORES', 'LIMIT', 0, 1)[2]
  redis.call('ZADD', delayedKey, newest and math.min(newest + 1, last) or first, jobId)
  local function add(field, value) set[#set + 1] = field; set[#set + 1] = value end
  if progress ~= '' then add('progress', progress) end
  add('delay', delayMs)
  if isPostponed == '0' then add('atm', attempts and isCount(attempts) and attempts + 1 or 1) end
  -- One that is no number would end the promotion of all that is due with it.
  if priority and not isCount(priority) then add('priority', 0) end
  redis.call('HSET', jobKey, unpack(set))
  redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'delayed', 'jobId', jobId, 'delay', dueAt)
  if gone ~= '' and gone ~= requestId then redis.call('HDEL', requestIdsKey, gone) end
  if requestId ~= '' then redis.call('HSET', requestIdsKey, requestId, jobId) end

  if isToTakeNext == '1' then
    local reply = takeNext(nextKeys, prefix, now, optionsFor(token))
    if reply and type(reply[1]) == 'table' then return reply end
  end
  local earliest = redis.call('ZRANGE', delayedKey, 0, 0, 'WITHSCORES')[2]
  if earliest then redis.call('ZADD', markerKey, earliest / 0x1000, '1') end
  return 0
end
`;
