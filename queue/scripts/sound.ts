// Lua does not roll back: what BullMQ's scripts would stumble over after their first writes is mended before them, in the
// same step. They raise the count of attempts, decode the parent and tell it; and what is delayed with a priority that is no
// number would end the promotion of all that is due with it, who would stand nowhere then.

/** Lua: whether a text is a count that HINCRBY can raise. */
export const IS_COUNT = `
local function isCount(value) return #value < 16 and string.match(value, '^%d+$') ~= nil end
`;

/** Lua: mends the fields of a job that a settling script would end half-way at; hands may have overwritten them. */
export const MAKE_SOUND = `${IS_COUNT}
-- Another's keys may be out of a worker's permissions, in another slot, or of another kind.
local function isReachable(parentKey)
  return parentKey and type(redis.pcall('SCARD', parentKey .. ':dependencies')) == 'number'
end
local function makeSound(jobKey)
  local made, priority, parent, parentKey = unpack(redis.call('HMGET', jobKey, 'atm', 'priority', 'parent', 'parentKey'))
  if made and not isCount(made) then redis.call('HSET', jobKey, 'atm', 0) end
  if priority and not isCount(priority) then redis.call('HSET', jobKey, 'priority', 0) end
  if not parent and not parentKey then return end
  local read, value = pcall(cjson.decode, parent or '')
  local isSound = read and type(value) == 'table' and type(value.id) == 'string' and type(value.queueKey) == 'string'
  if not isSound or not isReachable(parentKey) or not isReachable(value.queueKey .. ':' .. value.id) then
    redis.call('HDEL', jobKey, 'parent', 'parentKey')
  end
end
`;
