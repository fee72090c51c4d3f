// For the onSettled hook: the step that settles a write notes that the hook was not told of it yet. So whatever dies
// in between, somebody tells it.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';

export const FINISH_KEYS = BULLMQ.moveToFinished.keys;

/**
 * A delivered write is finished, where a worker has the hook; without it BullMQ's own script does it.
 * KEYS: moveToFinished's, then the set of writes to tell of.
 * ARGV: moveToFinished's (9), then the job id and epoch ms.
 */
export const DELIVER: Script = {
  name: 'waybill:deliver:1',
  keys: FINISH_KEYS + 1,
  lua: `${asFunction('moveToFinished')}${SLICE}
local reply = moveToFinished(slice(KEYS, 1, ${FINISH_KEYS}), slice(ARGV, 1, 9))
if type(reply) == 'number' and reply < 0 then return reply end
redis.call('ZADD', KEYS[${FINISH_KEYS + 1}], ARGV[11], ARGV[10])
return reply
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
