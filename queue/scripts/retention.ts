// What retention takes away, a bounded slice at a time: what is past its age or count (TRIM), and rows and tombstones
// whose write or letter somebody removed by hand (SCRUB). Time is the server's: a worker's clock may have jumped.
import { ACTS_FIELD } from '../keys.ts';
import { OTHER_CLASS } from '../letter-class.ts';
import { FORGET, type Script } from './compose.ts';
import { LEAVE } from './rows.ts';

/** A slice ends after so many bytes of letters: a script holds up every other command (measured: 200 of 14 KB in 13 ms). */
const SLICE_BYTES = 2_000_000;

const HELPERS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Something of another type may stand in a job's place: it is left alone, and must not stop a round.
local function text(key, field)
  local value = redis.pcall('HGET', key, field)
  return type(value) == 'string' and value or ''
end
local function decoded(value)
  local read, object = pcall(cjson.decode, value)
  return read and type(object) == 'table' and object or {}
end
local function letterOf(jobKey) return decoded(text(jobKey, 'data')).letter end
`;

/**
 * KEYS: the row by time, the row by request_id, the audit stream, the retention hash, the queue's completed and failed
 *   sets, the dead letters' prioritized, completed and failed sets, the classes.
 * ARGV: slice, prefix of the queue's keys, prefix of the dead letters' keys, then how long is kept, in ms: an open
 *   letter, a handled one, a delivered tombstone, an audit entry, and anything that the API may still know the key of;
 *   how many open letters may stand; how many ms must lie between two rounds (0: go on with one); how many of the oldest
 *   open letters this round has kept so far.
 * Returns { open letters, handled letters and delivered that went, open letters kept, 1 where there may be more }, or
 *   nothing when another worker's round is not long enough ago.
 * An open letter that goes takes its write's tombstone with it, and is written down in the audit stream. One that an
 * operator has just restored is kept as long as a handled one.
 */
export const TRIM: Script = {
  name: 'waybill:trim:3',
  keys: 10,
  lua: `${FORGET}${HELPERS}${LEAVE}
local timeKey, requestKey, auditKey, countKey, completedKey, failedKey, openKey, replayedKey, discardedKey, classesKey = unpack(KEYS)
local slice, base, deadBase = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local openBefore, handledBefore, deliveredBefore = now - ARGV[4], now - ARGV[5], now - ARGV[6]
local auditBefore, keyBefore = now - ARGV[7], now - ARGV[8]
local keep, pause, kept = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local last = tonumber(redis.call('HGET', countKey, 'at') or 0)
if pause > 0 and last <= now and now - last < pause then return {} end
-- Out of memory, Redis refuses a script by its first write, unless that takes something away: this round may free some.
redis.call('HDEL', countKey, 'at')
redis.call('HSET', countKey, 'at', now)

-- The rows of a journal's request_ids, as far as they are still its own.
local function dropRows(journal, id)
  local function drop(entry)
    if type(entry) == 'table' and type(entry.requestId) == 'string'
      and redis.call('HGET', requestKey, entry.requestId) == id then
      redis.call('HDEL', requestKey, entry.requestId)
    end
  end
  if type(journal) ~= 'table' then return end
  if type(journal.attempts) == 'table' then for _, entry in ipairs(journal.attempts) do drop(entry) end end
  drop(journal.lastPostponed)
end

local bytes = 0
local function dropLetter(id)
  local data = text(deadBase .. id, 'data')
  bytes = bytes + #data
  dropRows(decoded(data).journal, id)
  forget(deadBase .. id)
end

-- A letter and, where the write's tombstone names it, the write: its tombstone and its earlier generations' letters.
local function drop(id)
  local jobId, generation = string.match(id, '^(.*)%.g(%d+)$')
  dropLetter(id)
  if not jobId or not redis.call('ZSCORE', failedKey, jobId) or letterOf(base .. jobId) ~= id then return end
  redis.call('ZREM', failedKey, jobId)
  forget(base .. jobId)
  for earlier = tonumber(generation) - 1, 0, -1 do
    local letter = jobId .. '.g' .. earlier
    if not redis.call('ZSCORE', timeKey, letter) then
      dropLetter(letter)
      redis.call('ZREM', replayedKey, letter)
      redis.call('ZREM', discardedKey, letter)
    end
  end
end

-- Restored of late: the operator wants it there.
local function isKept(id)
  local act = string.match(text(deadBase .. id, '${ACTS_FIELD}'), '[^\\n]+$')
  local at = act and decoded(act).at
  return type(at) == 'number' and at > handledBefore
end

local over = redis.call('ZCARD', timeKey) - keep
local ids = redis.call('ZRANGEBYSCORE', timeKey, '-inf', '(' .. openBefore, 'LIMIT', kept, slice)
if over - kept > #ids then
  ids = redis.call('ZRANGEBYSCORE', timeKey, '-inf', '(' .. keyBefore, 'LIMIT', kept, math.min(over - kept, slice))
end
local gone, newlyKept = {}, 0
for _, id in ipairs(ids) do
  if bytes > ${SLICE_BYTES} then break end
  if isKept(id) then
    newlyKept = newlyKept + 1
  else
    leave(classesKey, deadBase .. id, id)
    drop(id)
    redis.call('ZREM', timeKey, id)
    redis.call('ZREM', openKey, id)
    gone[#gone + 1] = id
  end
end
if #gone > 0 then
  redis.call('HINCRBY', countKey, 'trimmed', #gone)
  redis.call('XADD', auditKey, '*', 'act', cjson.encode({ act = 'trim', by = 'retention', at = now, count = #gone, first = gone[1], last = gone[#gone] }))
end

local handled = 0
for _, key in ipairs({ replayedKey, discardedKey }) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. handledBefore, 'LIMIT', 0, slice)) do
    if bytes > ${SLICE_BYTES} then break end
    drop(id)
    redis.call('ZREM', key, id)
    handled = handled + 1
  end
end

local delivered = redis.call('ZRANGEBYSCORE', completedKey, '-inf', '(' .. deliveredBefore, 'LIMIT', 0, slice)
for _, id in ipairs(delivered) do
  local journal = text(base .. id, 'progress')
  if journal ~= '' then dropRows(decoded(journal), id) end
  forget(base .. id)
end
if #delivered > 0 then redis.call('ZREM', completedKey, unpack(delivered)) end
redis.call('XTRIM', auditKey, 'MINID', '~', string.format('%.0f', auditBefore))
local more = bytes > ${SLICE_BYTES} or #ids == slice or handled >= slice or #delivered == slice
return { #gone, handled, #delivered, newlyKept, more and 1 or 0 }
`,
};

/**
 * KEYS: the row by time, the row by request_id, the queue's failed set, the dead letters' prioritized set, the set of
 *   writes that the onSettled hook was not told of, the retention hash, which holds where it goes on, the classes.
 * ARGV: how many to look at in each, prefix of the queue's keys, prefix of the dead letters' keys, and for how many ms the
 *   API may know a key: a tombstone stays that long, whatever became of its letter.
 * Returns how many entries went, and 1 once it has been through everything.
 */
export const SCRUB: Script = {
  name: 'waybill:scrub:2',
  keys: 7,
  lua: `${FORGET}${HELPERS}${LEAVE}
local timeKey, requestKey, failedKey, openKey, unsaidKey, cursorKey, classesKey = unpack(KEYS)
local count, base, deadBase, keyBefore = ARGV[1], ARGV[2], ARGV[3], now - ARGV[4]
local names = { 'time', 'request', 'failed', 'unsaid', 'class' }
local cursors = redis.call('HMGET', cursorKey, unpack(names))
local gone = 0
local function stands(id)
  return redis.call('EXISTS', deadBase .. id) == 1 or redis.call('EXISTS', base .. id) == 1
    or redis.call('EXISTS', base .. string.gsub(id, '%.g%d+$', '')) == 1
end
-- A cursor of '' is through; none at all begins.
local function through(i, command, key, look)
  if cursors[i] == '' then return end
  local reply = redis.call(command, key, cursors[i] or '0', 'COUNT', count)
  for at = 1, #reply[2], 2 do if look(reply[2][at], reply[2][at + 1]) then gone = gone + 1 end end
  cursors[i] = reply[1] == '0' and '' or reply[1]
end
through(1, 'ZSCAN', timeKey, function(id)
  if redis.call('EXISTS', deadBase .. id) == 1 then return false end
  redis.call('ZREM', timeKey, id)
  redis.call('ZREM', openKey, id)
  return true
end)
through(2, 'HSCAN', requestKey, function(requestId, id)
  if stands(id) then return false end
  redis.call('HDEL', requestKey, requestId)
  return true
end)
through(3, 'ZSCAN', failedKey, function(jobId, diedAt)
  if tonumber(diedAt) >= keyBefore then return false end
  local letter = letterOf(base .. jobId)
  if type(letter) ~= 'string' or redis.call('EXISTS', deadBase .. letter) == 1 then return false end
  redis.call('ZREM', failedKey, jobId)
  forget(base .. jobId)
  return true
end)
-- A worker with the hook comes upon it before that, and says so.
through(4, 'ZSCAN', unsaidKey, function(id, at)
  if tonumber(at) >= now - 2 * ARGV[4] or stands(id) then return false end
  redis.call('ZREM', unsaidKey, id)
  return true
end)
-- The classes in turn, by id. The cursor is a class and the cursor in it, '-' behind its end.
local function throughClasses(i)
  if cursors[i] == '' then return end
  local classId, cursor = string.match(cursors[i] or '', '^(%S+) (%S+)$')
  local ids, classes = { '${OTHER_CLASS}' }, redis.call('HGETALL', classesKey)
  for at = 1, #classes, 2 do ids[#ids + 1] = classes[at] end
  table.sort(ids)
  local looked = 0
  for _, id in ipairs(ids) do
    if not classId or id > classId then classId, cursor = id, '0' end
    while id == classId and cursor ~= '-' do
      if looked >= tonumber(count) then
        cursors[i] = id .. ' ' .. cursor
        return
      end
      local reply = redis.call('ZSCAN', classesKey .. ':' .. id, cursor, 'COUNT', count)
      for at = 1, #reply[2], 2 do
        looked = looked + 1
        local letterId = reply[2][at]
        if redis.call('EXISTS', deadBase .. letterId) == 0 then gone = gone + dropEntry(classesKey, id, letterId) end
      end
      cursor = reply[1] == '0' and '-' or reply[1]
    end
  end
  cursors[i] = ''
end
throughClasses(5)
local left = 0
for i, name in ipairs(names) do if cursors[i] ~= '' then left = left + 1 end end
if left == 0 then
  redis.call('HDEL', cursorKey, unpack(names))
else
  for i, name in ipairs(names) do redis.call('HSET', cursorKey, name, cursors[i] or '') end
end
return { gone, left == 0 and 1 or 0 }
`,
};
