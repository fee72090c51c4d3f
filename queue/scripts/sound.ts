// Lua does not roll back: what BullMQ's scripts would stumble over after their first writes is mended before them, in the
// same step. They raise the count of attempts, and decode the parent.

/** Lua: whether a text is a count that HINCRBY can raise. */
export const IS_COUNT = `
local function isCount(value) return #value < 16 and string.match(value, '^%d+$') ~= nil end
`;

/** Lua: mends the fields of a job that a settling script would end half-way at; hands may have overwritten them. */
export const MAKE_SOUND = `${IS_COUNT}
local function makeSound(jobKey)
  local made, parent = unpack(redis.call('HMGET', jobKey, 'atm', 'parent'))
  if made and not isCount(made) then redis.call('HSET', jobKey, 'atm', 0) end
  if not parent then return end
  local read, value = pcall(cjson.decode, parent)
  if not read or type(value) ~= 'table' or type(value.id) ~= 'string' or type(value.queueKey) ~= 'string' then
    redis.call('HDEL', jobKey, 'parent', 'parentKey')
  end
end
`;
