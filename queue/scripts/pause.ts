// A destination is paused, or goes on, as BullMQ does it to its queue, in the step that first writes down who and why.
import { asFunction, BULLMQ, type Script, SLICE } from './compose.ts';

const PAUSE_KEYS = BULLMQ.pause.keys;

/**
 * KEYS: those of BullMQ's script (the queue's meta is the third), then the audit stream.
 * ARGV: those of BullMQ's script (2), then the act.
 * Returns -1 when the queue is so already, and nothing was done; else what BullMQ's script returns: how many writes a
 *   BullMQ of before has put aside while it was paused, and that another resume has to take back.
 */
export const PAUSE: Script = {
  name: 'waybill:pause:1',
  keys: PAUSE_KEYS + 1,
  lua: `${asFunction('pause')}${SLICE}
local isPaused = redis.call('HEXISTS', KEYS[3], 'paused') == 1
if isPaused == (ARGV[1] == 'paused') then return -1 end
redis.call('XADD', KEYS[${PAUSE_KEYS + 1}], '*', 'act', ARGV[3])
return pause(slice(KEYS, 1, ${PAUSE_KEYS}), slice(ARGV, 1, 2))
`,
};
