// The steps of a bulk operation in Redis. Whoever runs one holds its lease; a result is recorded once for each item,
// whoever brings it, since a runner that was held up may come late. Every step is written so that doing it again, by a
// driver that lost the answer, changes nothing more.
import type { Cluster, Redis } from 'ioredis';
import type { Script } from '../scripts/compose.ts';

/** Lua: what every step begins with. KEYS[1] is the operation, KEYS[2] the marks; ARGV[1] is its id. */
const HEAD = `
local opKey, marksKey, id = KEYS[1], KEYS[2], ARGV[1]
local function get(field) return redis.call('HGET', opKey, field) or '' end
local function number(field) return tonumber(get(field)) or 0 end
local function changed() redis.call('HINCRBY', marksKey, id, 1) end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/** Lua: whether the lease is the runner's, which it then keeps. */
const KEEP_LEASE = `
local function holds(leaseKey, token, leaseMs)
  if redis.call('GET', leaseKey) ~= token then return false end
  redis.call('PEXPIRE', leaseKey, leaseMs)
  return true
end
`;

/**
 * KEYS: operation, marks, index by time, live, items, audit stream.
 * ARGV: id, what it is as JSON, state, total, epoch ms, audit entry, steps (1 where there are canary steps), then the
 *   letters where they were named.
 * Returns 1, also when it stands already.
 */
export const CREATE: Script = {
  name: 'waybill:operation:create:1',
  keys: 6,
  lua: `${HEAD}
if redis.call('EXISTS', opKey) == 1 then return 1 end
redis.call('XADD', KEYS[6], '*', 'act', ARGV[6])
redis.call('HSET', opKey, 'spec', ARGV[2], 'state', ARGV[3], 'total', ARGV[4], 'next', 0, 'lastAt', ARGV[5])
if ARGV[3] == 'running' then redis.call('HSET', opKey, 'prepared', 1) end
if ARGV[7] == '1' then redis.call('HSET', opKey, 'step', 1, 'until', 1) end
for i = 8, #ARGV do redis.call('RPUSH', KEYS[5], ARGV[i]) end
redis.call('ZADD', KEYS[3], ARGV[5], id)
redis.call('SADD', KEYS[4], id)
changed()
return 1
`,
};

/**
 * KEYS: lease, live. ARGV: id, token, ms. Returns 1 when the lease is the runner's now.
 */
export const LEASE: Script = {
  name: 'waybill:operation:lease:1',
  keys: 2,
  lua: `
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 0 end
return redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3]) and 1 or 0
`,
};

/** Of a runner that reads for long. KEYS: lease. ARGV: token, ms. */
export const RENEW: Script = {
  name: 'waybill:operation:renew:1',
  keys: 1,
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
};

/** KEYS: lease. ARGV: token. */
export const RELEASE: Script = {
  name: 'waybill:operation:release:1',
  keys: 1,
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
};

/**
 * Letters are written down as the operation's items, a slice at a time; the first slice begins anew.
 * KEYS: operation, marks, lease, items, audit stream.
 * ARGV: id, token, lease ms, where the slice begins, 1 for the last one, words and audit entry where the operation pauses
 *   then, letters.
 * Returns 'on', or 'lost' (the lease, or the state).
 */
export const PREPARE: Script = {
  name: 'waybill:operation:prepare:2',
  keys: 5,
  lua: `${HEAD}${KEEP_LEASE}
if not holds(KEYS[3], ARGV[2], ARGV[3]) or get('state') ~= 'preparing' then return 'lost' end
if ARGV[4] == '0' then redis.call('DEL', KEYS[4]) end
local length = redis.call('LLEN', KEYS[4])
-- What was sent before its answer was lost stands there already.
for i = 8 + length - tonumber(ARGV[4]), #ARGV do redis.call('RPUSH', KEYS[4], ARGV[i]) end
if ARGV[5] == '1' then
  redis.call('HSET', opKey, 'prepared', 1, 'state', 'running', 'total', redis.call('LLEN', KEYS[4]), 'lastAt', now())
  if ARGV[6] ~= '' then
    redis.call('XADD', KEYS[5], '*', 'act', ARGV[7])
    redis.call('HSET', opKey, 'state', 'paused', 'because', ARGV[6])
  end
  changed()
end
return 'on'
`,
};

/**
 * What came of an item, if there is one to tell, and what is to be done next.
 * KEYS: operation, marks, lease, items, results, details, audit stream.
 * ARGV: id, token, lease ms, ms between two items, index, character, details as JSON, name of the count, the entry for
 *   the audit stream when the last item is done, as JSON without its time and count.
 * Returns 'lost' · 'item', index, letter · 'wait', ms · 'step' · or the state.
 */
export const ADVANCE: Script = {
  name: 'waybill:operation:advance:1',
  keys: 7,
  lua: `${HEAD}${KEEP_LEASE}
local index, character = ARGV[5], ARGV[6]
local at = now()
if index ~= '' and number('next') == tonumber(index) and redis.call('EXISTS', opKey) == 1 then
  redis.call('SETRANGE', KEYS[5], index, character)
  redis.call('HSET', KEYS[6], index, ARGV[7])
  redis.call('HINCRBY', opKey, ARGV[8], 1)
  redis.call('HINCRBY', opKey, 'next', 1)
  if character == 'u' then redis.call('HINCRBY', opKey, 'doneSince', 1) end
  redis.call('HSET', opKey, 'lastAt', at)
  changed()
end
if not holds(KEYS[3], ARGV[2], ARGV[3]) then return { 'lost' } end
local state = get('state')
if state ~= 'running' then return { state } end
local nextItem, total = number('next'), number('total')
if nextItem >= total then
  local entry = cjson.decode(ARGV[9])
  entry.at, entry.count = at, number('done')
  redis.call('XADD', KEYS[7], '*', 'act', cjson.encode(entry))
  redis.call('HSET', opKey, 'state', 'done', 'endedAt', at)
  changed()
  return { 'done' }
end
local ends = get('until')
if ends ~= '' and nextItem >= tonumber(ends) then return { 'step' } end
-- A runner that wakes up late catches up with a tenth of a second at most: an operation is never in a burst.
local dueAt = math.max(number('nextAt'), at - 100)
-- The clock was set back: nothing is further off than one item.
if dueAt > at + tonumber(ARGV[4]) then
  dueAt = at + tonumber(ARGV[4])
  redis.call('HSET', opKey, 'nextAt', string.format('%.3f', dueAt))
end
if dueAt > at then return { 'wait', math.ceil(dueAt - at) } end
redis.call('HSET', opKey, 'nextAt', string.format('%.3f', dueAt + tonumber(ARGV[4])))
return { 'item', nextItem, redis.call('LINDEX', KEYS[4], nextItem) or '' }
`,
};

/**
 * How replayed writes ended; each is told once.
 * KEYS: operation, marks, lease, results, codes.
 * ARGV: id, token, lease ms, then of each: index, character, code.
 * Returns 1, or 0 where the lease is lost.
 */
export const FOLLOW: Script = {
  name: 'waybill:operation:follow:1',
  keys: 5,
  lua: `${HEAD}${KEEP_LEASE}
if not holds(KEYS[3], ARGV[2], ARGV[3]) then return 0 end
local since = number('since')
for i = 4, #ARGV, 3 do
  local index, character, code = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('GETRANGE', KEYS[4], index, index) == 'u' then
    redis.call('SETRANGE', KEYS[4], index, character)
    local name = character == 'd' and 'delivered' or 'dead'
    redis.call('HINCRBY', opKey, name, 1)
    if tonumber(index) >= since then
      redis.call('HINCRBY', opKey, name .. 'Since', 1)
      local known = redis.call('HEXISTS', KEYS[5], code) == 1 or redis.call('HLEN', KEYS[5]) < 50
      if character == 'x' and known then redis.call('HINCRBY', KEYS[5], code, 1) end
    end
    changed()
  end
end
return 1
`,
};

/**
 * The operation's own doing at the end of a step: waits, goes on to the next, or, while it prepares or runs, pauses.
 * KEYS: operation, marks, lease, audit stream.
 * ARGV: id, token, lease ms, 'wait' | 'next' | 'pause', then of 'next' the step and the item that it ends before, of
 *   'pause' since which item it was judged, words, audit entry.
 * Returns 1, or 0 where the lease is lost or somebody was faster.
 */
export const TURN: Script = {
  name: 'waybill:operation:turn:1',
  keys: 4,
  lua: `${HEAD}${KEEP_LEASE}
if not holds(KEYS[3], ARGV[2], ARGV[3]) then return 0 end
local state = get('state')
if ARGV[4] == 'wait' then
  if state ~= 'running' or get('waitingFrom') ~= '' then return 0 end
  redis.call('HSET', opKey, 'waitingFrom', now())
elseif ARGV[4] == 'next' then
  if state ~= 'running' then return 0 end
  redis.call('HSET', opKey, 'step', ARGV[5], 'until', ARGV[6])
  redis.call('HDEL', opKey, 'waitingFrom')
else
  if state ~= 'running' and state ~= 'preparing' then return 0 end
  if number('since') ~= tonumber(ARGV[5]) then return 0 end
  redis.call('XADD', KEYS[4], '*', 'act', ARGV[7])
  redis.call('HSET', opKey, 'state', 'paused', 'because', ARGV[6], 'lastAt', now())
end
changed()
return 1
`,
};

/**
 * What an operator does with an operation.
 * KEYS: operation, marks, live, codes, audit stream.
 * ARGV: id, 'pause' | 'resume' | 'cancel', words, audit entry, epoch ms.
 * Returns 'gone', or the state before; nothing was done where that does not allow it.
 */
export const CONTROL: Script = {
  name: 'waybill:operation:control:1',
  keys: 5,
  lua: `${HEAD}
local state = get('state')
if state == '' then return 'gone' end
local verb, words, entry, at = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- The answer was lost, and it is asked again.
if get('control') == entry then return get('controlledFrom') end
local isUnderWay = state == 'preparing' or state == 'running'
if verb == 'pause' and not isUnderWay then return state end
if verb == 'resume' and state ~= 'paused' then return state end
if verb == 'cancel' and not isUnderWay and state ~= 'paused' then return state end
redis.call('XADD', KEYS[5], '*', 'act', entry)
redis.call('HSET', opKey, 'lastAt', at, 'control', entry, 'controlledFrom', state)
if verb == 'pause' then
  redis.call('HSET', opKey, 'state', 'paused', 'because', words)
else
  redis.call('HDEL', opKey, 'because', 'waitingFrom')
  redis.call('SADD', KEYS[3], id)
end
if verb == 'resume' then
  redis.call('HSET', opKey, 'state', get('prepared') == '1' and 'running' or 'preparing', 'since', get('next'))
  redis.call('HDEL', opKey, 'doneSince', 'deliveredSince', 'deadSince')
  redis.call('DEL', KEYS[4])
elseif verb == 'cancel' then
  redis.call('HSET', opKey, 'state', 'cancelled', 'endedAt', at)
end
changed()
return state
`,
};

/**
 * Nothing is left to do for now: no runner looks at it until somebody resumes it.
 * KEYS: operation, marks, lease, live. ARGV: id, token. Returns 1, or 0 where there is something to do by now.
 */
export const REST: Script = {
  name: 'waybill:operation:rest:1',
  keys: 4,
  lua: `${HEAD}
if redis.call('GET', KEYS[3]) ~= ARGV[2] then return 0 end
local state = get('state')
if state == 'preparing' or state == 'running' then return 0 end
redis.call('SREM', KEYS[4], id)
redis.call('DEL', KEYS[3])
return 1
`,
};

/**
 * Takes an operation that has ended away.
 * KEYS: operation, marks, index by time, live, items, results, details, codes, lease. ARGV: id. Returns how many went.
 */
export const REMOVE: Script = {
  name: 'waybill:operation:remove:1',
  keys: 9,
  lua: `${HEAD}
-- What is no operation stands in its place, and nobody can end it.
local state = redis.call('TYPE', opKey)['ok'] == 'hash' and get('state') or ''
if state ~= '' and state ~= 'done' and state ~= 'cancelled' then return 0 end
redis.call('ZREM', KEYS[3], id)
redis.call('SREM', KEYS[4], id)
redis.call('HDEL', marksKey, id)
return redis.call('UNLINK', opKey, KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9])
`,
};

/** Runs a script of this file. The driver sends it anew to a server that has forgotten it. */
export async function run(
  client: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const commands = client as unknown as Record<string, (...all: (string | number)[]) => Promise<unknown>>;
  if (typeof commands[script.name] !== 'function') {
    client.defineCommand(script.name, { numberOfKeys: script.keys, lua: script.lua });
  }
  return (commands[script.name] as NonNullable<(typeof commands)[string]>).call(client, ...keys, ...args);
}
