// Settling a delivered write. For the onSettled hook: the step that settles a write notes that the hook was not told of it
// yet. So whatever dies in between, somebody tells it.
import { asFunction, BULLMQ, type Script } from './compose.ts';
import { ORIGIN_FIELD, PAYLOAD_HASH_FIELD } from '../keys.ts';
import { NEXT, REFUSAL } from './leave.ts';
import { MAKE_SOUND } from './sound.ts';

export const FINISH_KEYS = BULLMQ.moveToFinished.keys;

/** What stays of a delivered write's job, beside what is written when it is settled. */
const KEPT = ['name', 'timestamp', 'ats', PAYLOAD_HASH_FIELD, ORIGIN_FIELD];

/**
 * A delivered write is finished as BullMQ's script would, which is called where a plain producer made the write a child or
 * deduplicates it: that script knows whom to tell. Retention by age is not done here, but in rounds. The job is written
 * anew: a hash that once held a long value never goes back to what Redis keeps close together.
 * KEYS: moveToFinished's, then the set of writes to tell of.
 * ARGV: moveToFinished's (9), then the lock token, and 1 where there is something to tell the hook.
 */
export const DELIVER: Script = {
  name: 'waybill:deliver:4',
  keys: FINISH_KEYS + 1,
  lua: `${REFUSAL}${NEXT}
local waitKey, activeKey, eventsKey, jobKey, jobId, now = KEYS[1], KEYS[2], KEYS[4], KEYS[12], ARGV[1], ARGV[2]
local refused = refusal(jobKey, ARGV[10])
if refused then return refused end
local stored = redis.call('HMGET', jobKey, ${KEPT.map((field) => `'${field}'`).join(', ')}, 'parentKey', 'parent', 'deid')
local isOfFlow = stored[${KEPT.length + 1}] or stored[${KEPT.length + 2}] or stored[${KEPT.length + 3}]
if isOfFlow and not redis.call('LPOS', activeKey, jobId, 'RANK', -1) then return -3 end
if not isOfFlow and redis.call('LREM', activeKey, -1, jobId) == 0 then return -3 end
if ARGV[11] == '1' then redis.call('ZADD', KEYS[${FINISH_KEYS + 1}], now, jobId) end
-- A write waits for no children.
local awaited, failed = jobKey .. ':dependencies', jobKey .. ':unsuccessful'
if isOfFlow then
  redis.call('DEL', awaited, failed)
  ${MAKE_SOUND}
  makeSound(jobKey)
  ${asFunction('moveToFinished')}
  return moveToFinished({ unpack(KEYS, 1, ${FINISH_KEYS}) }, { unpack(ARGV, 1, 9) })
end

local kept = cmsgpack.unpack(ARGV[9])
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
local longest = redis.call('HGET', KEYS[9], 'opts.maxLenEvents') or 10000
redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', ARGV[4], 'prev', 'active')

if ARGV[6] == '1' then
  KEYS[11] = KEYS[14]
  local reply = takeNext(KEYS, ARGV[7], now, ARGV[8])
  if reply then return reply end
end
if redis.call('LLEN', waitKey) == 0 and redis.call('LLEN', activeKey) == 0 and redis.call('ZCARD', KEYS[3]) == 0 then
  redis.call('XADD', eventsKey, '*', 'event', 'drained')
end
return 0
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
