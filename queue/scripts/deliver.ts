// Settling a delivered write, as a function of the script that settles.
import { asFunction } from './compose.ts';
import { ORIGIN_FIELD, PAYLOAD_HASH_FIELD } from '../keys.ts';

/** What stays of a delivered write's job, beside what is written when it is settled. */
const KEPT = ['name', 'timestamp', 'ats', PAYLOAD_HASH_FIELD, ORIGIN_FIELD];
const KEPT_FIELDS = KEPT.map((field) => `'${field}'`).join(', ');

/**
 * Lua: finishes a delivered write as BullMQ's script would, which is called where a plain producer made the write a child or
 * deduplicates it: that script knows whom to tell. Retention by age is not done here, but in rounds. The job is written
 * anew: a hash that once held a long value never goes back to what Redis keeps close together.
 * isToTell: 1 where there is something to tell the hook; head, value: the tombstone's JSON up to the answer, and the
 * answer's; progress: the journal's, or ''.
 */
export const DELIVER = `
local function deliver(jobId, token, now, isToTakeNext, isToTell, head, value, progress)
  local jobKey = prefix .. jobId
  local refused = refusal(jobKey, token)
  if refused then return refused end
  local stored = redis.call('HMGET', jobKey, ${KEPT_FIELDS}, 'parentKey', 'parent', 'deid')
  local isOfFlow = stored[${KEPT.length + 1}] or stored[${KEPT.length + 2}] or stored[${KEPT.length + 3}]
  if isOfFlow and not redis.call('LPOS', activeKey, jobId, 'RANK', -1) then return -3 end
  if not isOfFlow and redis.call('LREM', activeKey, -1, jobId) == 0 then return -3 end
  if isToTell == '1' then redis.call('ZADD', unsaidKey, now, jobId) end
  local kept = { 'data', head .. value .. '}' }
  if progress ~= '' then
    kept[3] = 'progress'
    kept[4] = progress
  end
  -- A write waits for no children.
  local awaited, failed = jobKey .. ':dependencies', jobKey .. ':unsuccessful'
  if isOfFlow then
    redis.call('DEL', awaited, failed)
    makeSound(jobKey)
    ${asFunction('moveToFinished')}
    local keys, opts = slice(KEYS, 1, 14), optionsFor(token)
    keys[12] = jobKey
    opts.keepJobs, opts.attempts, opts.maxMetricsSize = { count = -1 }, 0, ''
    return moveToFinished(keys, { jobId, now, 'returnvalue', value, 'completed', isToTakeNext, prefix, opts, kept })
  end

  for i, field in ipairs({ ${KEPT_FIELDS} }) do
    if stored[i] then
      kept[#kept + 1] = field
      kept[#kept + 1] = stored[i]
    end
  end
  redis.call('DEL', jobKey, jobKey .. ':lock', awaited, failed)
  redis.call('HSET', jobKey, 'finishedOn', now, unpack(kept))
  redis.call('SREM', stalledKey, jobId)
  redis.call('ZADD', completedKey, now, jobId)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', longest, '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', value, 'prev', 'active')

  if isToTakeNext == '1' then
    local reply = takeNext(nextKeys, prefix, now, optionsFor(token))
    if reply then return reply end
  end
  if redis.call('LLEN', waitKey) == 0 and redis.call('LLEN', activeKey) == 0 and redis.call('ZCARD', prioritizedKey) == 0 then
    redis.call('XADD', eventsKey, '*', 'event', 'drained')
  end
  return 0
end
`;
