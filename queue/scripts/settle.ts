// Settling what leaves its worker's hands alive: all that one turn of the event loop decided, in one call.
import { BULLMQ, type Script, SLICE } from './compose.ts';
import { DELIVER } from './deliver.ts';
import { NEXT, REFUSAL } from './leave.ts';
import { RETRY } from './retry.ts';
import { MAKE_SOUND } from './sound.ts';

export const FINISH_KEYS = BULLMQ.moveToFinished.keys;

/** The steps, and how many facts each has: the parameters of deliver() and of retry(). */
const FACTS = { deliver: 8, retry: 10 } as const;

export type Step = keyof typeof FACTS;

/** So many of those that have come due does BullMQ's script promote while it takes a job. */
const PROMOTED_AT_ONCE = 1000;

/**
 * KEYS: moveToFinished's, with the prefix of jobs in the place of a job; then the set of writes to tell of, the row by
 * request_id. ARGV: the worker's name, its lock in ms, then each step and its facts.
 * Returns for each what BullMQ's script returns, or the text of an error: what is wrong with one job stops no other. An
 * error where Redis refuses the first one: it takes none of them.
 */
export const SETTLE: Script = {
  name: 'waybill:settle:2',
  keys: FINISH_KEYS + 2,
  lua: `
-- BullMQ's scripts are given their options as they are: to pack and unpack them takes longer than to look at them.
local packing = cmsgpack
local cmsgpack = { pack = packing.pack, unpack = function(value) return type(value) == 'table' and value or packing.unpack(value) end }
${SLICE}${REFUSAL}${NEXT}${MAKE_SOUND}
local waitKey, activeKey, prioritizedKey, eventsKey, stalledKey = unpack(KEYS, 1, 5)
local delayedKey, metaKey, completedKey, prefix, markerKey = KEYS[7], KEYS[9], KEYS[11], KEYS[12], KEYS[14]
local unsaidKey, requestIdsKey = KEYS[${FINISH_KEYS + 1}], KEYS[${FINISH_KEYS + 2}]
local nextKeys = slice(KEYS, 1, 11)
nextKeys[11] = markerKey
local longest = redis.call('HGET', metaKey, 'opts.maxLenEvents') or 10000
local function optionsFor(token) return { token = token, name = ARGV[1], lockDuration = ARGV[2] } end
${DELIVER}${RETRY}
local steps, facts = { deliver = deliver, retry = retry }, { deliver = ${FACTS.deliver}, retry = ${FACTS.retry} }
-- Where much has come due nobody takes a next one here: each fetches for itself, and Redis lets others in between.
local dueUntil = (tonumber(ARGV[6]) + 1) * 0x1000 - 1
local isMuchDue = redis.call('ZRANGEBYSCORE', delayedKey, '-inf', dueUntil, 'LIMIT', ${PROMOTED_AT_ONCE}, 1)[1] ~= nil
local replies, at, isBegun = {}, 3, false
while ARGV[at] do
  local step = ARGV[at]
  if isMuchDue then ARGV[at + 4] = '0' end
  local done, reply = pcall(steps[step], unpack(ARGV, at + 1, at + facts[step]))
  if done then
    isBegun = isBegun or type(reply) ~= 'number' or reply >= 0
  else
    -- Redis 6 says before it where in the script it was.
    reply = string.gsub(type(reply) == 'table' and reply.err or tostring(reply), '@user_script: ?%d+: ?', '')
    reply = string.gsub(reply, '^%-', '')
    local code = string.match(reply, '^(%u+) ')
    if not isBegun and code and code ~= 'ERR' and code ~= 'WRONGTYPE' then return redis.error_reply(reply) end
  end
  replies[#replies + 1] = reply
  at = at + 1 + facts[step]
end
return replies
`,
};
