// Settling a dead write in one step: its letter and the rows that find it are written, the write is finished into
// `failed` without its body, and the worker takes the next.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { LOST_AT_FIELD } from '../keys.ts';
import { ENTER } from './rows.ts';
import { MAKE_SOUND } from './sound.ts';

const FINISH = BULLMQ.moveToFinished.keys;
const ADD = BULLMQ.addPrioritizedJob.keys;

/** Refusals of our own, beside BullMQ's −1 (no job), −2 (no lock), −3 (not active), −6 (another's lock). */
export const LETTER_EXISTS = -100;

/**
 * Lua: leaves of a dead write's job what answers its key and leads to its letter, which tells the rest. Written anew: a hash
 * that once held a long value never goes back to what Redis keeps close together, at a third of the memory.
 */
const REMAINS = `
local function lessen(jobKey)
  local useless = {
    progress = true, stacktrace = true, opts = true, delay = true, priority = true, processedOn = true, finishedOn = true,
    failedReason = true, pb = true, ats = true, atm = true, stc = true, ${LOST_AT_FIELD} = true,
  }
  local fields, kept = redis.call('HGETALL', jobKey), {}
  for i = 1, #fields, 2 do
    if not useless[fields[i]] then
      kept[#kept + 1] = fields[i]
      kept[#kept + 1] = fields[i + 1]
    elseif fields[i] == 'priority' and fields[i + 1] ~= '0' then
      kept[#kept + 1] = 'opts'
      kept[#kept + 1] = cjson.encode({ priority = tonumber(fields[i + 1]) })
    end
  end
  if #kept == 0 then return end
  redis.call('DEL', jobKey)
  redis.call('HSET', jobKey, unpack(kept))
end
`;

/**
 * KEYS: moveToFinished's, addPrioritizedJob's, then the letter's key, the row by time, the row by request_id, the set of
 *   writes to tell the onSettled hook of, the classes.
 * ARGV: moveToFinished's (9), addPrioritizedJob's (3), then lock token, letter id, epoch ms, 1 where there is that hook,
 *   the letter's class and its facets, and every request_id.
 * Lua does not roll back: whatever could make either script refuse is looked at while nothing is written yet.
 */
export const DEAD_LETTER: Script = {
  name: 'waybill:deadLetter:7',
  keys: FINISH + ADD + 5,
  lua: `${asFunction('moveToFinished')}${asFunction('addPrioritizedJob')}${SLICE}${ENTER}${REMAINS}${MAKE_SOUND}
local jobKey, activeKey, jobId, token = KEYS[12], KEYS[2], ARGV[1], ARGV[13]
local letterKey, timeKey, requestKey = KEYS[${FINISH + ADD + 1}], KEYS[${FINISH + ADD + 2}], KEYS[${FINISH + ADD + 3}]
if redis.call('EXISTS', jobKey) == 0 then return -1 end
local lock = redis.call('GET', jobKey .. ':lock')
if not lock then return -2 end
if lock ~= token then return -6 end
if not redis.call('LPOS', activeKey, jobId, 'RANK', -1) then return -3 end
if redis.call('EXISTS', letterKey) == 1 then return ${LETTER_EXISTS} end
makeSound(jobKey)

addPrioritizedJob(slice(KEYS, ${FINISH + 1}, ${FINISH + ADD}), slice(ARGV, 10, 12))
-- What no queue of letters needs; where it is missing, BullMQ takes it for 0 or empty.
redis.call('HDEL', letterKey, 'opts', 'delay', 'priority')
redis.call('ZADD', timeKey, ARGV[15], ARGV[14])
enter(KEYS[${FINISH + ADD + 5}], letterKey, ARGV[14], ARGV[15], ARGV[17], ARGV[18])
if ARGV[16] == '1' then redis.call('ZADD', KEYS[${FINISH + ADD + 4}], ARGV[15], ARGV[14]) end
for i = 19, #ARGV do redis.call('HSET', requestKey, ARGV[i], ARGV[14]) end
local reply = moveToFinished(slice(KEYS, 1, ${FINISH}), slice(ARGV, 1, 9))
lessen(jobKey)
return reply
`,
};
