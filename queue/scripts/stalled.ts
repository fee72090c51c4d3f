// A stalled write's start has left no record: here its time is kept, in the step that takes it back. The life of the
// idempotency key counts from it (docs/decisions/0006); when it was due is no measure: that may lie later, where
// somebody promoted the write or its producer's clock was fast. Counters that hold no number are mended here too.
import { asFunction, BULLMQ, type Script } from './compose.ts';
import { LOST_AT_FIELD } from '../keys.ts';
import { IS_COUNT } from './sound.ts';

/** BullMQ's counters of a job. Its scripts raise them, and end half-way, each time anew, where one holds no number. */
const COUNTERS = ['ats', 'atm', 'stc'];

/** KEYS and ARGV: those of BullMQ's script. Returns the ids of the stalled jobs, as it does. */
export const MOVE_STALLED: Script = {
  name: 'waybill:moveStalledJobsToWait:3',
  keys: BULLMQ.moveStalledJobsToWait.keys,
  lua: `${asFunction('moveStalledJobsToWait')}${IS_COUNT}
-- The start that stalled comes on top of them, and counts as lost.
local function recordedStarts(jobKey)
  local ok, journal = pcall(cjson.decode, redis.call('HGET', jobKey, 'progress') or '0')
  if not ok or type(journal) ~= 'table' or type(journal.attempts) ~= 'table' then return 0 end
  return #journal.attempts + (tonumber(journal.postponed) or 0) + (tonumber(journal.lost) or 0)
end
for _, jobId in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local jobKey = ARGV[2] .. jobId
  for _, field in ipairs({ ${COUNTERS.map((field) => `'${field}'`).join(', ')} }) do
    local value = redis.call('HGET', jobKey, field)
    if value and not isCount(value) then
      redis.call('HSET', jobKey, field, field == 'ats' and recordedStarts(jobKey) + 1 or 0)
    end
  end
end
local stalled = moveStalledJobsToWait(KEYS, ARGV)
for _, jobId in ipairs(stalled) do
  local jobKey = ARGV[2] .. jobId
  local startedAt = redis.call('HGET', jobKey, 'processedOn')
  if startedAt then redis.call('HSETNX', jobKey, '${LOST_AT_FIELD}', startedAt) end
end
return stalled
`,
};
