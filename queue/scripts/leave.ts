// How a write leaves its worker's hands, and the worker takes its next one: what the settling scripts share. BullMQ's own
// finishing creates forty functions at each call, most of which are for flows; taking the next is BullMQ's, unchanged.
import { asFunction } from './compose.ts';

/**
 * Lua: why an active job cannot be settled with this token, as BullMQ's refusals: −1 (no job), −2 (no lock), −6 (another's
 * lock). Nothing is written.
 */
export const REFUSAL = `
local function refusal(jobKey, token)
  if redis.call('EXISTS', jobKey) == 0 then return -1 end
  local lock = redis.call('GET', jobKey .. ':lock')
  if not lock then return -2 end
  if lock ~= token then return -6 end
end
`;

/**
 * Lua: takes the next write, as BullMQ's script does it. Returns what a settling script replies with: the write, or when
 * to ask again; nothing where there is nothing to take.
 */
export const NEXT = `${asFunction('moveToActive')}
local function takeNext(keys, prefix, now, opts)
  local reply = moveToActive(keys, { prefix, now, opts })
  if type(reply[1]) == 'table' or reply[3] > 0 or reply[4] > 0 then return reply end
end
`;
