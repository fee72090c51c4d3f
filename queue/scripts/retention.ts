// What retention takes away, a bounded slice at a time: what is past its age or count (TRIM), and rows and tombstones
// whose write or letter somebody removed by hand (SCRUB).
import { FORGET, type Script } from './compose.ts';

/**
 * KEYS: the row by time, the row by request_id, the audit stream, the retention hash, the queue's completed and failed
 *   sets, the dead letters' prioritized, completed and failed sets.
 * ARGV: slice, prefix of the queue's keys, prefix of the dead letters' keys, and epoch ms before which go: open letters,
 *   handled letters, delivered tombstones; then how many open letters may stay, epoch ms before which audit entries go,
 *   epoch ms now, and how many ms must lie between two rounds (0: go on with one).
 * Returns how many went: { open letters, handled letters, delivered }; a full slice says that there may be more. Nothing
 * when another worker's round is not long enough ago.
 * An open letter that goes takes its write's tombstone with it, and is written down in the audit stream.
 */
export const TRIM: Script = {
  name: 'waybill:trim:1',
  keys: 9,
  lua: `${FORGET}
local timeKey, requestKey, auditKey, countKey, completedKey, failedKey, openKey, replayedKey, discardedKey = unpack(KEYS)
local slice, base, deadBase = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local openBefore, handledBefore, deliveredBefore = ARGV[4], ARGV[5], ARGV[6]
local keep, auditBefore, now, pause = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
if pause > 0 and now - tonumber(redis.call('HGET', countKey, 'at') or 0) < pause then return {} end
redis.call('HSET', countKey, 'at', ARGV[9])

-- The rows of a letter's request_ids, as far as they are still its own.
local function dropRows(letterKey, id)
  local read, letter = pcall(cjson.decode, redis.call('HGET', letterKey, 'data') or '')
  if not read or type(letter) ~= 'table' or type(letter.journal) ~= 'table' then return end
  local function drop(entry)
    if type(entry) == 'table' and type(entry.requestId) == 'string'
      and redis.call('HGET', requestKey, entry.requestId) == id then
      redis.call('HDEL', requestKey, entry.requestId)
    end
  end
  if type(letter.journal.attempts) == 'table' then for _, entry in ipairs(letter.journal.attempts) do drop(entry) end end
  drop(letter.journal.lastPostponed)
end

local function dropLetter(id)
  dropRows(deadBase .. id, id)
  forget(deadBase .. id)
end

-- A letter and, where the write's tombstone names it, the write: its tombstone and its earlier generations' letters.
local function drop(id)
  local jobId, generation = string.match(id, '^(.*)%.g(%d+)$')
  dropLetter(id)
  if not jobId or not redis.call('ZSCORE', failedKey, jobId) then return end
  local data = redis.call('HGET', base .. jobId, 'data') or ''
  if not string.find(data, '"letter":"' .. id .. '"', 1, true) then return end
  redis.call('ZREM', failedKey, jobId)
  forget(base .. jobId)
  for earlier = tonumber(generation) - 1, 0, -1 do
    local letter = jobId .. '.g' .. earlier
    dropLetter(letter)
    redis.call('ZREM', replayedKey, letter)
    redis.call('ZREM', discardedKey, letter)
  end
end

local ids = redis.call('ZRANGEBYSCORE', timeKey, '-inf', '(' .. openBefore, 'LIMIT', 0, slice)
local over = redis.call('ZCARD', timeKey) - keep
if over > #ids then ids = redis.call('ZRANGE', timeKey, 0, math.min(over, slice) - 1) end
for _, id in ipairs(ids) do
  drop(id)
  redis.call('ZREM', timeKey, id)
  redis.call('ZREM', openKey, id)
end
local open = #ids
if open > 0 then
  redis.call('HINCRBY', countKey, 'trimmed', open)
  redis.call('XADD', auditKey, '*', 'act', cjson.encode({ act = 'trim', by = 'retention', at = now, count = open, first = ids[1], last = ids[open] }))
end

local handled = 0
for _, key in ipairs({ replayedKey, discardedKey }) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. handledBefore, 'LIMIT', 0, slice)) do
    drop(id)
    redis.call('ZREM', key, id)
    handled = handled + 1
  end
end

local delivered = redis.call('ZRANGEBYSCORE', completedKey, '-inf', '(' .. deliveredBefore, 'LIMIT', 0, slice)
for _, id in ipairs(delivered) do
  forget(base .. id)
  redis.call('ZREM', completedKey, id)
end
redis.call('XTRIM', auditKey, 'MINID', '~', auditBefore)
return { open, handled, #delivered }
`,
};

/**
 * KEYS: the row by time, the row by request_id, the queue's failed set, the dead letters' prioritized set, the set of
 *   writes that the onSettled hook was not told of.
 * ARGV: how many to look at in each, prefix of the queue's keys, prefix of the dead letters' keys, then a cursor for
 *   each of: row by time, row by request_id, failed set, unsaid set; '' leaves one out.
 * Returns the next four cursors ('' where it went through) and how many entries went.
 */
export const SCRUB: Script = {
  name: 'waybill:scrub:1',
  keys: 5,
  lua: `${FORGET}
local timeKey, requestKey, failedKey, openKey, unsaidKey = unpack(KEYS)
local count, base, deadBase = ARGV[1], ARGV[2], ARGV[3]
local gone = 0
local function stands(id)
  return redis.call('EXISTS', deadBase .. id) == 1 or redis.call('EXISTS', base .. string.gsub(id, '%.g%d+$', '')) == 1
end
local function through(command, key, cursor, look)
  if cursor == '' then return '' end
  local reply = redis.call(command, key, cursor, 'COUNT', count)
  for i = 1, #reply[2], 2 do if look(reply[2][i], reply[2][i + 1]) then gone = gone + 1 end end
  return reply[1] == '0' and '' or reply[1]
end
local byTime = through('ZSCAN', timeKey, ARGV[4], function(id)
  if redis.call('EXISTS', deadBase .. id) == 1 then return false end
  redis.call('ZREM', timeKey, id)
  redis.call('ZREM', openKey, id)
  return true
end)
local byRequest = through('HSCAN', requestKey, ARGV[5], function(requestId, id)
  if stands(id) then return false end
  redis.call('HDEL', requestKey, requestId)
  return true
end)
local failed = through('ZSCAN', failedKey, ARGV[6], function(jobId)
  local letter = string.match(redis.call('HGET', base .. jobId, 'data') or '', '"settled":"dead","letter":"([^"]+)"')
  if not letter or redis.call('EXISTS', deadBase .. letter) == 1 then return false end
  redis.call('ZREM', failedKey, jobId)
  forget(base .. jobId)
  return true
end)
local unsaid = through('ZSCAN', unsaidKey, ARGV[7], function(id)
  if stands(id) then return false end
  redis.call('ZREM', unsaidKey, id)
  return true
end)
return { byTime, byRequest, failed, unsaid, gone }
`,
};
