// Lua does not roll back: what BullMQ's scripts would stumble over after their first writes is mended before them, in the
// same step. They raise the count of attempts and decode the parent; and what is delayed with a priority that is no number
// would end the promotion of all that is due with it, who would stand nowhere then.

/** Lua: whether a text is a count that HINCRBY can raise. */
export const IS_COUNT = `
local function isCount(value) return #value < 16 and string.match(value, '^%d+$') ~= nil end
`;

/** Lua: mends the fields of a job that a settling script would end half-way at; hands may have overwritten them. */
export const MAKE_SOUND = `${IS_COUNT}
local function makeSound(jobKey)
  local made, priority, parent = unpack(redis.call('HMGET', jobKey, 'atm', 'priority', 'parent'))
  if made and not isCount(made) then redis.call('HSET', jobKey, 'atm', 0) end
  if priority and not isCount(priority) then redis.call('HSET', jobKey, 'priority', 0) end
  if not parent then return end
  local read, value = pcall(cjson.decode, parent)
  if not read or type(value) ~= 'table' or type(value.id) ~= 'string' or type(value.queueKey) ~= 'string' then
    redis.call('HDEL', jobKey, 'parent', 'parentKey')
  end
end
`;
