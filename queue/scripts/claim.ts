// For the onSettled hook: the step that settles a write notes that the hook was not told of it yet. So whatever dies in
// between, somebody tells it.
import type { Script } from './compose.ts';

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
