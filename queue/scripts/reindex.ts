// The steps of a reindex. Each looks at one slice and puts it right in itself, so that what workers and operators do
// between two of them is never undone: a letter is open while it stands in BullMQ's own set of the open ones.
import { CLASS_FIELD } from '../keys.ts';
import { MAX_CLASSES, OTHER_CLASS } from '../letter-class.ts';
import { ENTER, LEAVE, type OpenScript } from './rows.ts';

/**
 * Takes away what does not belong into a row of letters.
 * KEYS: the row, the dead letters' prioritized set, the classes. ARGV: cursor, how many to look at, prefix of the dead
 *   letters' keys, id of the class whose row it is, '' of the row by time.
 * Returns the next cursor and how many went.
 */
export const SWEEP_ROW: OpenScript = {
  name: 'waybill:sweepRow:1',
  lua: `${LEAVE}
local rowKey, openKey, classesKey = unpack(KEYS)
local deadBase, classId = ARGV[3], ARGV[4]
local reply = redis.call('ZSCAN', rowKey, ARGV[1], 'COUNT', ARGV[2])
local gone = 0
for i = 1, #reply[2], 2 do
  local id = reply[2][i]
  local belongs = redis.call('ZSCORE', openKey, id)
  if belongs and classId ~= '' then
    local own = redis.pcall('HGET', deadBase .. id, '${CLASS_FIELD}')
    -- What is no hash gives an error.
    belongs = own == classId or classId == '${OTHER_CLASS}' and type(own) == 'table'
  end
  if not belongs then gone = gone + redis.call('ZREM', rowKey, id) end
end
if classId ~= '' and redis.call('EXISTS', rowKey) == 0 then gone = gone + redis.call('HDEL', classesKey, classId) end
return { reply[1], gone }
`,
};

/**
 * Takes away rows by request_id whose write or letter does not know the request_id.
 * KEYS: the row. ARGV: prefixes of the queue's and of the dead letters' keys, then request_id, what the row says, and how
 *   the request_id stands in a journal's text, of each.
 * Returns how many went.
 */
export const SWEEP_REQUESTS: OpenScript = {
  name: 'waybill:sweepRequests:1',
  lua: `
local base, deadBase = ARGV[1], ARGV[2]
local gone = 0
for i = 3, #ARGV, 3 do
  local requestId, id, words = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local function knows(key, field)
    local text = redis.pcall('HGET', key, field)
    return type(text) == 'string' and string.find(text, words, 1, true) ~= nil
  end
  if redis.call('HGET', KEYS[1], requestId) == id
    and not knows(deadBase .. id, 'data') and not knows(base .. id, 'progress') then
    gone = gone + redis.call('HDEL', KEYS[1], requestId)
  end
end
return gone
`,
};

/**
 * Files an open letter by time and class.
 * KEYS: the letter, the dead letters' prioritized set, the row by time, the classes.
 * ARGV: letter id, epoch ms of its death where its job does not tell, its class and its facets.
 * Returns how many rows were not right.
 */
export const FILE_LETTER: OpenScript = {
  name: 'waybill:fileLetter:1',
  lua: `${LEAVE}${ENTER}
local letterKey, openKey, timeKey, classesKey = unpack(KEYS)
local letterId, classId, facets = ARGV[1], ARGV[3], ARGV[4]
if not redis.call('ZSCORE', openKey, letterId) then return 0 end
local kind = redis.call('TYPE', letterKey)['ok']
if kind == 'none' then return 0 end
if kind ~= 'hash' then
  -- Something else stands in its place: it can only be looked into.
  local at = redis.call('ZSCORE', timeKey, letterId) or ARGV[2]
  return redis.call('ZADD', timeKey, at, letterId) + redis.call('ZADD', classesKey .. ':${OTHER_CLASS}', at, letterId)
end
local diedAt = tonumber(redis.call('HGET', letterKey, 'timestamp')) or tonumber(ARGV[2])
local wrong = 0
if tonumber(redis.call('ZSCORE', timeKey, letterId)) ~= diedAt then
  redis.call('ZADD', timeKey, diedAt, letterId)
  wrong = wrong + 1
end
local current = redis.call('HGET', letterKey, '${CLASS_FIELD}')
local registered = classId == '${OTHER_CLASS}' or redis.call('HEXISTS', classesKey, classId) == 1
local fits = current == classId and registered
  or current == '${OTHER_CLASS}' and not registered and redis.call('HLEN', classesKey) >= ${MAX_CLASSES}
if not fits or tonumber(redis.call('ZSCORE', classesKey .. ':' .. current, letterId)) ~= diedAt then
  leave(classesKey, letterKey, letterId)
  enter(classesKey, letterKey, letterId, diedAt, classId, facets)
  wrong = wrong + 1
elseif current ~= '${OTHER_CLASS}' and redis.call('HGET', classesKey, classId) ~= facets then
  redis.call('HSET', classesKey, classId, facets)
  wrong = wrong + 1
end
return wrong
`,
};

/**
 * Files a letter, or a write that is not dead, by its request_ids. The write itself goes before its letters, and a later
 * generation's letter before an earlier one's.
 * KEYS: the row, the letter or the job. ARGV: its id, the field that holds its journal, then request_id and how it stands in
 *   a journal's text, of each.
 * Returns how many rows were not right.
 */
export const FILE_REQUESTS: OpenScript = {
  name: 'waybill:fileRequests:1',
  lua: `
local id = ARGV[1]
local text = redis.pcall('HGET', KEYS[2], ARGV[2])
if type(text) ~= 'string' then return 0 end
local function parts(name) return string.match(name, '^(.*)%.g(%d+)$') end
local job, generation = parts(id)
local wrong = 0
for i = 3, #ARGV, 2 do
  local current = redis.call('HGET', KEYS[1], ARGV[i])
  local later = not current
  if current then
    local itsJob, itsGeneration = parts(current)
    if job then later = itsJob == job and tonumber(itsGeneration) < tonumber(generation) else later = itsJob == id end
  end
  if later and string.find(text, ARGV[i + 1], 1, true) then
    redis.call('HSET', KEYS[1], ARGV[i], id)
    wrong = wrong + 1
  end
end
return wrong
`,
};
