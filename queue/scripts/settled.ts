// Settling delivered writes. For the onSettled hook: the step that settles a write notes that the hook was not told of it
// yet. So whatever dies in between, somebody tells it.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { ORIGIN_FIELD, PAYLOAD_HASH_FIELD } from '../keys.ts';
import { NEXT, REFUSAL } from './leave.ts';
import { MAKE_SOUND } from './sound.ts';

export const FINISH_KEYS = BULLMQ.moveToFinished.keys;

/** What stays of a delivered write's job, beside what is written when it is settled. */
const KEPT = ['name', 'timestamp', 'ats', PAYLOAD_HASH_FIELD, ORIGIN_FIELD];

/** Of each delivery: see ARGV. */
const FACTS = 8;

/**
 * Delivered writes are finished as BullMQ's script would, which is called where a plain producer made the write a child or
 * deduplicates it: that script knows whom to tell. Retention by age is not done here, but in rounds. A job is written
 * anew: a hash that once held a long value never goes back to what Redis keeps close together.
 * KEYS: moveToFinished's, with the prefix of jobs in the place of a job; then the set of writes to tell of.
 * ARGV: the worker's name, its lock in ms, then of each delivery: job id, lock token, epoch ms, 1 where the next write is
 * wanted, 1 where there is something to tell the hook, the tombstone's JSON up to the answer, the answer's, the journal's or ''.
 * Returns for each what moveToFinished returns, or the text of an error: what is wrong with one job stops no other.
 */
export const DELIVER: Script = {
  name: 'waybill:deliver:5',
  keys: FINISH_KEYS + 1,
  lua: `
-- BullMQ's scripts are given their options as they are: to pack and unpack them takes longer than to look at them.
local packing = cmsgpack
local cmsgpack = { pack = packing.pack, unpack = function(value) return type(value) == 'table' and value or packing.unpack(value) end }
${SLICE}${REFUSAL}${NEXT}${MAKE_SOUND}
local waitKey, activeKey, eventsKey, prefix, name, lockMs = KEYS[1], KEYS[2], KEYS[4], KEYS[12], ARGV[1], ARGV[2]
local nextKeys = slice(KEYS, 1, 11)
nextKeys[11] = KEYS[14]
local longest = redis.call('HGET', KEYS[9], 'opts.maxLenEvents') or 10000

local function deliver(jobId, token, now, isToTakeNext, isToTell, head, value, progress)
  local jobKey = prefix .. jobId
  local refused = refusal(jobKey, token)
  if refused then return refused end
  local stored = redis.call('HMGET', jobKey, ${KEPT.map((field) => `'${field}'`).join(', ')}, 'parentKey', 'parent', 'deid')
  local isOfFlow = stored[${KEPT.length + 1}] or stored[${KEPT.length + 2}] or stored[${KEPT.length + 3}]
  if isOfFlow and not redis.call('LPOS', activeKey, jobId, 'RANK', -1) then return -3 end
  if not isOfFlow and redis.call('LREM', activeKey, -1, jobId) == 0 then return -3 end
  if isToTell == '1' then redis.call('ZADD', KEYS[${FINISH_KEYS + 1}], now, jobId) end
  local kept = { 'data', head .. value .. '}' }
  if progress ~= '' then
    kept[3] = 'progress'
    kept[4] = progress
  end
  local opts = { token = token, name = name, lockDuration = lockMs }
  -- A write waits for no children.
  local awaited, failed = jobKey .. ':dependencies', jobKey .. ':unsuccessful'
  if isOfFlow then
    redis.call('DEL', awaited, failed)
    makeSound(jobKey)
    ${asFunction('moveToFinished')}
    local keys = slice(KEYS, 1, ${FINISH_KEYS})
    keys[12] = jobKey
    opts.keepJobs, opts.attempts, opts.maxMetricsSize = { count = -1 }, 0, ''
    return moveToFinished(keys, { jobId, now, 'returnvalue', value, 'completed', isToTakeNext, prefix, opts, kept })
  end

  for i, field in ipairs({ ${KEPT.map((field) => `'${field}'`).join(', ')} }) do
    if stored[i] then
      kept[#kept + 1] = field
      kept[#kept + 1] = stored[i]
    end
  end
  redis.call('DEL', jobKey, jobKey .. ':lock', awaited, failed)
  redis.call('HSET', jobKey, 'finishedOn', now, unpack(kept))
  redis.call('SREM', KEYS[5], jobId)
  redis.call('ZADD', KEYS[11], now, jobId)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', value, 'prev', 'active')

  if isToTakeNext == '1' then
    local reply = takeNext(nextKeys, prefix, now, opts)
    if reply then return reply end
  end
  if redis.call('LLEN', waitKey) == 0 and redis.call('LLEN', activeKey) == 0 and redis.call('ZCARD', KEYS[3]) == 0 then
    redis.call('XADD', eventsKey, '*', 'event', 'drained')
  end
  return 0
end

local replies = {}
for at = 3, #ARGV, ${FACTS} do
  local done, reply = pcall(deliver, unpack(ARGV, at, at + ${FACTS - 1}))
  if not done then
    local text = type(reply) == 'table' and reply.err or tostring(reply)
    local code = string.match(text, '^(%u+) ')
    -- Redis itself refuses: it would not take the others either.
    if code and code ~= 'ERR' and code ~= 'WRONGTYPE' then return redis.error_reply(text) end
    reply = text
  end
  replies[#replies + 1] = reply
end
return replies
`,
};

/**
 * Takes what was not told for too long, for another try; whoever takes it has that long.
 * KEYS: the set of writes to tell of. ARGV: epoch ms before which they were settled or taken, how many, epoch ms now.
 * Returns job ids of delivered and letter ids of dead writes.
 */
export const CLAIM: Script = {
  name: 'waybill:claim:1',
  keys: 1,
  lua: `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[3], id) end
return ids
`,
};
