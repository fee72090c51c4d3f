// The rows of open dead letters by class: how a script enters a letter and takes it out, and what is read from them.
import { CLASS_FIELD } from '../keys.ts';
import { MAX_CLASSES, OTHER_CLASS } from '../letter-class.ts';
import type { Script } from './compose.ts';

/**
 * Lua: enters an open letter into its class, or into `other` where there are too many classes. A class that is not
 * registered has no letters: what stands under its key all the same is of nobody.
 */
export const ENTER = `
local function enter(classesKey, letterKey, letterId, diedAt, classId, facets)
  if classId ~= '${OTHER_CLASS}' and redis.call('HEXISTS', classesKey, classId) == 0 then
    if redis.call('HLEN', classesKey) >= ${MAX_CLASSES} then
      classId = '${OTHER_CLASS}'
    else
      redis.call('DEL', classesKey .. ':' .. classId)
      redis.call('HSET', classesKey, classId, facets)
    end
  end
  redis.call('ZADD', classesKey .. ':' .. classId, diedAt, letterId)
  redis.call('HSET', letterKey, '${CLASS_FIELD}', classId)
end
`;

/** Lua: takes a letter out of its class. One that an older version has filed is in none. */
export const LEAVE = `
local function dropEntry(classesKey, classId, letterId)
  local key = classesKey .. ':' .. classId
  local gone = redis.call('ZREM', key, letterId)
  if gone == 1 and redis.call('EXISTS', key) == 0 then redis.call('HDEL', classesKey, classId) end
  return gone
end
local function leave(classesKey, letterKey, letterId)
  local classId = redis.pcall('HGET', letterKey, '${CLASS_FIELD}')
  if type(classId) ~= 'string' then return end
  redis.call('HDEL', letterKey, '${CLASS_FIELD}')
  dropEntry(classesKey, classId, letterId)
end
`;

/** A script that is given as many keys as there are. */
export type OpenScript = Omit<Script, 'keys'>;

/**
 * KEYS: the classes, the row by time.
 * Returns how many open letters there are, how many of them in the class `other`, then id, facets and number of letters
 * of each class.
 */
export const CLASSES: OpenScript = {
  name: 'waybill:classes:1',
  lua: `
local classes = redis.call('HGETALL', KEYS[1])
local reply = { redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[1] .. ':${OTHER_CLASS}') }
for i = 1, #classes, 2 do
  reply[#reply + 1] = classes[i]
  reply[#reply + 1] = classes[i + 1]
  reply[#reply + 1] = redis.call('ZCARD', KEYS[1] .. ':' .. classes[i])
end
return reply
`,
};

/**
 * The next letters of several rows, as one row in the order of (time, id).
 * KEYS: the rows. ARGV: `oldest` or `newest` first, since and before in epoch ms, time and id of the letter to go on
 * behind, how many; '' for none.
 * Returns id, time and the number of the row, of each.
 */
export const MERGE: OpenScript = {
  name: 'waybill:merge:1',
  lua: `
local newest, since, before, at, id, limit = ARGV[1] == 'newest', ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
-- As Redis orders the ids of one time: by bytes. Lua's own comparison goes by the server's locale.
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
-- How many stand up to the cursor, or before it where the newest are first. Of one time there may be any number.
local function rankOf(key)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. at)
  local high = low + redis.call('ZCOUNT', key, at, at)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local one = redis.call('ZRANGE', key, middle, middle)[1]
    if precedes(one, id) or (one == id and not newest) then low = middle + 1 else high = middle end
  end
  return low
end
local chunk = #KEYS == 1 and limit or math.max(4, math.ceil(2 * limit / #KEYS))
local function refill(head)
  local from, to = head.from, head.to
  if from >= to then return false end
  if newest then from = math.max(from, to - chunk) else to = math.min(to, from + chunk) end
  local rows = redis.call('ZRANGE', head.key, from, to - 1, 'WITHSCORES')
  if #rows == 0 then return false end
  if newest then head.to, head.next = from, #rows - 1 else head.from, head.next = to, 1 end
  head.rows = rows
  return true
end
local function show(head)
  head.id, head.score = head.rows[head.next], head.rows[head.next + 1]
  head.at = tonumber(head.score)
end
local function advance(head)
  head.next = head.next + (newest and -2 or 2)
  if not head.rows[head.next] and not refill(head) then return false end
  show(head)
  return true
end
local function isFirst(a, b)
  if newest then a, b = b, a end
  if a.at ~= b.at then return a.at < b.at end
  return precedes(a.id, b.id)
end
local heap = {}
local function sink(i)
  while true do
    local child = 2 * i
    if child > #heap then return end
    if child < #heap and isFirst(heap[child + 1], heap[child]) then child = child + 1 end
    if not isFirst(heap[child], heap[i]) then return end
    heap[child], heap[i] = heap[i], heap[child]
    i = child
  end
end
for n, key in ipairs(KEYS) do
  local head = { key = key, n = n, from = 0, to = redis.call('ZCARD', key) }
  if since ~= '' then head.from = redis.call('ZCOUNT', key, '-inf', '(' .. since) end
  if before ~= '' then head.to = redis.call('ZCOUNT', key, '-inf', '(' .. before) end
  if at ~= '' then
    if newest then head.to = math.min(head.to, rankOf(key)) else head.from = math.max(head.from, rankOf(key)) end
  end
  if refill(head) then
    show(head)
    heap[#heap + 1] = head
  end
end
for i = math.floor(#heap / 2), 1, -1 do sink(i) end
local reply = {}
while heap[1] and #reply < 3 * limit do
  local head = heap[1]
  reply[#reply + 1] = head.id
  reply[#reply + 1] = head.score
  reply[#reply + 1] = head.n
  if not advance(head) then
    heap[1] = heap[#heap]
    heap[#heap] = nil
  end
  if heap[1] then sink(1) end
end
return reply
`,
};

/**
 * Rows, counted. KEYS: the rows. ARGV: since and before in epoch ms, or ''; where the first slice begins and how long each is in
 * ms, and how many.
 * Returns of each row how many letters it has, and where it has any the first time, the last, and how many in each slice.
 */
export const FOLD: OpenScript = {
  name: 'waybill:fold:2',
  lua: `
local since, before, from, step, slices = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local low, high = since == '' and '-inf' or since, before == '' and '+inf' or '(' .. before
local function sliceOf(at) return math.floor((at - from) / step) + 1 end
-- Of all rows the same: as texts made once.
local begins, ends = {}, {}
for slice = 1, slices do
  local first, stop = from + (slice - 1) * step, from + slice * step
  if since ~= '' then first = math.max(first, tonumber(since)) end
  if before ~= '' then stop = math.min(stop, tonumber(before)) end
  if first < stop then begins[slice], ends[slice] = string.format('%.0f', first), string.format('(%.0f', stop) end
end
local reply = {}
for n, key in ipairs(KEYS) do
  local count = redis.call('ZCOUNT', key, low, high)
  local row = { count }
  if count > 0 then
    row[2] = redis.call('ZRANGEBYSCORE', key, low, high, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    row[3] = redis.call('ZREVRANGEBYSCORE', key, high, low, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    for i = 1, slices do row[3 + i] = 0 end
    if slices > 0 and count <= 2 * slices then
      local rows = redis.call('ZRANGEBYSCORE', key, low, high, 'WITHSCORES')
      for i = 2, #rows, 2 do
        local slice = sliceOf(tonumber(rows[i]))
        if slice >= 1 and slice <= slices then row[3 + slice] = row[3 + slice] + 1 end
      end
    elseif slices > 0 then
      -- From the lowest on: half of the cost of a count between two times, and the last slice needs none.
      local first, last = math.max(1, sliceOf(tonumber(row[2]))), sliceOf(tonumber(row[3]))
      local before = begins[first] and redis.call('ZCOUNT', key, low, '(' .. begins[first]) or 0
      for slice = first, math.min(slices, last) do
        if begins[slice] then
          local upTo = slice == last and count or redis.call('ZCOUNT', key, low, ends[slice])
          row[3 + slice], before = upTo - before, upTo
        end
      end
    end
  end
  reply[n] = row
end
return reply
`,
};
