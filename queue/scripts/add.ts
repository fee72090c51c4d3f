// Compare and add in one step: a read beforehand or afterwards would race with other producers
// and with retention.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { PAYLOAD_HASH_FIELD } from '../keys.ts';

export type AddCommand = 'addStandardJob' | 'addDelayedJob' | 'addPrioritizedJob';

/**
 * KEYS: those of BullMQ's script, then the job's own key.
 * ARGV: those of BullMQ's script (3), then the payload's hash.
 * Returns { 'queued' | 'conflict', job id }, { 'duplicate', job id, its data, opts, timestamp }, or BullMQ's negative refusal.
 * A job under this id that bears no hash was not made by add(): it counts as another payload.
 */
function compose(command: AddCommand): Script {
  const keys = BULLMQ[command].keys;
  return {
    name: `waybill:${command}:1`,
    keys: keys + 1,
    lua: `${asFunction(command)}${SLICE}
local jobKey = KEYS[${keys + 1}]
local jobId = cmsgpack.unpack(ARGV[1])[2]
if redis.call('EXISTS', jobKey) == 1 then
  if redis.call('HGET', jobKey, '${PAYLOAD_HASH_FIELD}') == ARGV[4] then
    local stored = redis.call('HMGET', jobKey, 'data', 'opts', 'timestamp')
    return { 'duplicate', jobId, stored[1] or '', stored[2] or '', stored[3] or '' }
  end
  return { 'conflict', jobId }
end
local added = ${command}(slice(KEYS, 1, ${keys}), slice(ARGV, 1, 3))
if type(added) == 'number' and added < 0 then return added end
redis.call('HSET', jobKey, '${PAYLOAD_HASH_FIELD}', ARGV[4])
return { 'queued', jobId }
`,
  };
}

export const ADD_SCRIPTS: Record<AddCommand, Script> = {
  addStandardJob: compose('addStandardJob'),
  addDelayedJob: compose('addDelayedJob'),
  addPrioritizedJob: compose('addPrioritizedJob'),
};
