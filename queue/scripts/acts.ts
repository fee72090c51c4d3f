// What operators do to dead letters, each in one step that first writes who did it and why, and acts only when the
// letter still is where the operator saw it. So of two operators, or of an operator and retention, one wins.
import { asFunction, BULLMQ, FORGET, type Script, SLICE } from './compose.ts';
import { ACTS_FIELD, ORIGIN_FIELD, PAYLOAD_HASH_FIELD } from '../keys.ts';
import type { AddCommand } from './add.ts';
import { ENTER, LEAVE } from './rows.ts';

/** A letter that is discarded and restored again and again must not grow without bound. */
const KEPT_ACTS = 100;

/** Lua: writes an act down, in the audit stream and, with the last of those before it, with its letter. */
const NOTE = `
local function note(auditKey, letterKey, act)
  redis.call('XADD', auditKey, '*', 'act', act)
  local acts = redis.call('HGET', letterKey, '${ACTS_FIELD}')
  acts = acts and (acts .. '\\n' .. act) or act
  local _, breaks = string.gsub(acts, '\\n', '')
  for _ = ${KEPT_ACTS}, breaks do acts = string.sub(acts, string.find(acts, '\\n', 1, true) + 1) end
  redis.call('HSET', letterKey, '${ACTS_FIELD}', acts)
end
`;

/**
 * Lua: what an act returns. Something else may stand in a letter's place: nothing is done to it. An act that is repeated
 * is done already, whatever became of the letter since. Inside a JSON text no quote stands without a backslash: what
 * looks like the act's own id is it.
 */
const ANSWER = `
if redis.call('TYPE', letterKey)['ok'] ~= 'hash' then return { 'handled', '' } end
local function answer(word) return { word, redis.call('HGET', letterKey, '${ACTS_FIELD}') or '' } end
local own = string.match(act, '"id":"[^"]+"')
if own and string.find(answer('')[2], own, 1, true) then return answer('done') end`;

/** The keys that replay's own part names, behind those of BullMQ's script. */
const REPLAY_KEYS = 10;

/**
 * A dead letter's write goes back into its queue as BullMQ would add it; the letter is finished into `completed`.
 * KEYS: those of BullMQ's script, then the key of the job to add, of the dead write's job, of its queue's failed set,
 *   of the letter, of the next generation's letter, the row by time, the dead letters' prioritized and completed sets,
 *   the audit stream, the classes.
 * ARGV: those of BullMQ's script (3), then the payload's hash, the journal to start with, letter id, the dead write's
 *   job id, the act, epoch ms.
 * Returns 'done' (now, or before), 'handled' (the letter is not open), 'busy' (the dead write's key has another life since: its job was
 *   removed by hand and added again, so that this letter's verdict is not the last word) or 'exists' (a job stands under
 *   the new key), with the letter's acts.
 */
function composeReplay(command: AddCommand): Script {
  const n = BULLMQ[command].keys;
  return {
    name: `waybill:replay:${command}:2`,
    keys: n + REPLAY_KEYS,
    lua: `${asFunction(command)}${SLICE}${FORGET}${NOTE}${LEAVE}
local jobKey, sourceKey, failedKey, letterKey = KEYS[${n + 1}], KEYS[${n + 2}], KEYS[${n + 3}], KEYS[${n + 4}]
local nextKey, timeKey, openKey = KEYS[${n + 5}], KEYS[${n + 6}], KEYS[${n + 7}]
local replayedKey, auditKey, classesKey = KEYS[${n + 8}], KEYS[${n + 9}], KEYS[${n + 10}]
local hash, journal, letterId, sourceId, act, now = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
${ANSWER}
if not redis.call('ZSCORE', timeKey, letterId) then return answer('handled') end
if redis.call('EXISTS', nextKey) == 1 then return answer('busy') end
if redis.call('EXISTS', sourceKey) == 1 then
  local read, data = pcall(cjson.decode, redis.call('HGET', sourceKey, 'data') or '')
  local isItsTombstone = read and type(data) == 'table' and data.settled == 'dead' and data.letter == letterId
  if not isItsTombstone or not redis.call('ZSCORE', failedKey, sourceId) then return answer('busy') end
end
if jobKey ~= sourceKey and redis.call('EXISTS', jobKey) == 1 then return answer('exists') end

note(auditKey, letterKey, act)
if jobKey == sourceKey then
  redis.call('ZREM', failedKey, sourceId)
  forget(sourceKey)
end
${command}(slice(KEYS, 1, ${n}), slice(ARGV, 1, 3))
redis.call('HSET', jobKey, '${PAYLOAD_HASH_FIELD}', hash, 'progress', journal)
if jobKey ~= sourceKey then redis.call('HSET', jobKey, '${ORIGIN_FIELD}', letterId) end
redis.call('ZREM', timeKey, letterId)
leave(classesKey, letterKey, letterId)
redis.call('ZREM', openKey, letterId)
redis.call('ZADD', replayedKey, now, letterId)
redis.call('HSET', letterKey, 'finishedOn', now, 'returnvalue', act)
return answer('done')
`,
  };
}

export const REPLAY_SCRIPTS: Record<AddCommand, Script> = {
  addStandardJob: composeReplay('addStandardJob'),
  addDelayedJob: composeReplay('addDelayedJob'),
  addPrioritizedJob: composeReplay('addPrioritizedJob'),
};

/**
 * A discarded letter is finished into the dead letters' `failed`, and kept there until retention ends.
 * KEYS: the letter, the row by time, the classes, the dead letters' prioritized and failed sets, the audit stream.
 * ARGV: letter id, the act, epoch ms, words for BullMQ's failedReason.
 * Returns 'done' (now, or before) or 'handled', with the letter's acts.
 */
export const DISCARD: Script = {
  name: 'waybill:discard:2',
  keys: 6,
  lua: `${NOTE}${LEAVE}
local letterKey, timeKey, classesKey, openKey, discardedKey, auditKey = unpack(KEYS)
local letterId, act, now, reason = unpack(ARGV)
${ANSWER}
if not redis.call('ZSCORE', timeKey, letterId) then return answer('handled') end

note(auditKey, letterKey, act)
redis.call('ZREM', timeKey, letterId)
leave(classesKey, letterKey, letterId)
redis.call('ZREM', openKey, letterId)
redis.call('ZADD', discardedKey, now, letterId)
redis.call('HSET', letterKey, 'finishedOn', now, 'failedReason', reason)
return answer('done')
`,
};

/**
 * A discarded letter is open again, under the time of its death.
 * KEYS: the letter, the row by time, the classes, the dead letters' prioritized and failed sets, its priority counter,
 *   the audit stream.
 * ARGV: letter id, the act, the letter's priority, epoch ms, the letter's class and its facets.
 * Returns 'done' (now, or before) or 'handled' (the letter is not discarded), with the letter's acts.
 */
export const RESTORE: Script = {
  name: 'waybill:restore:2',
  keys: 7,
  lua: `${NOTE}${ENTER}
local letterKey, timeKey, classesKey, openKey, discardedKey, counterKey, auditKey = unpack(KEYS)
local letterId, act, priority = ARGV[1], ARGV[2], tonumber(ARGV[3])
${ANSWER}
if not redis.call('ZSCORE', discardedKey, letterId) then return answer('handled') end
local diedAt = tonumber(redis.call('HGET', letterKey, 'timestamp')) or ARGV[4]

note(auditKey, letterKey, act)
redis.call('ZREM', discardedKey, letterId)
-- As BullMQ scores a prioritized job: its priority in the upper bits, a counter below.
redis.call('ZADD', openKey, priority * 0x100000000 + redis.call('INCR', counterKey) % 0x100000000, letterId)
redis.call('ZADD', timeKey, diedAt, letterId)
enter(classesKey, letterKey, letterId, diedAt, ARGV[5], ARGV[6])
redis.call('HDEL', letterKey, 'finishedOn', 'failedReason')
return answer('done')
`,
};
