// A retry or a postponement: BullMQ's own step, and the lookup row by which its newest request_id finds the write.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';
import { MAKE_SOUND } from './sound.ts';

export const DELAY_KEYS = BULLMQ.moveToDelayed.keys;

/**
 * KEYS: moveToDelayed's, then the row by request_id.
 * ARGV: moveToDelayed's (9), then the request_id of the attempt and the one whose row goes; '' for none.
 * Returns what moveToDelayed returns; a refusal is one of its negative numbers, and nothing is written then.
 */
export const RETRY: Script = {
  name: 'waybill:retry:3',
  keys: DELAY_KEYS + 1,
  lua: `${asFunction('moveToDelayed')}${SLICE}${MAKE_SOUND}
local rows, jobId, requestId, gone = KEYS[${DELAY_KEYS + 1}], ARGV[3], ARGV[10], ARGV[11]
makeSound(KEYS[5])
local reply = moveToDelayed(slice(KEYS, 1, ${DELAY_KEYS}), slice(ARGV, 1, 9))
if type(reply) == 'number' and reply < 0 then return reply end
if gone ~= '' and gone ~= requestId then redis.call('HDEL', rows, gone) end
if requestId ~= '' then redis.call('HSET', rows, requestId, jobId) end
return reply
`,
};
