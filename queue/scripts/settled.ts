// Settling a delivered write. For the onSettled hook: the step that settles a write notes that the hook was not told of it
// yet. So whatever dies in between, somebody tells it.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { MAKE_SOUND } from './sound.ts';

export const FINISH_KEYS = BULLMQ.moveToFinished.keys;

/**
 * A delivered write is finished.
 * KEYS: moveToFinished's, then the set of writes to tell of.
 * ARGV: moveToFinished's (9), then the job id, epoch ms, and 1 where there is something to tell the hook.
 */
export const DELIVER: Script = {
  name: 'waybill:deliver:3',
  keys: FINISH_KEYS + 1,
  lua: `${asFunction('moveToFinished')}${SLICE}${MAKE_SOUND}
makeSound(KEYS[12])
local reply = moveToFinished(slice(KEYS, 1, ${FINISH_KEYS}), slice(ARGV, 1, 9))
if type(reply) == 'number' and reply < 0 then return reply end
if ARGV[12] == '1' then redis.call('ZADD', KEYS[${FINISH_KEYS + 1}], ARGV[11], ARGV[10]) end
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
