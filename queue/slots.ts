// Where the keys of a destination live: in one place without a Cluster, in one hash slot with one.
import type { Cluster, Redis } from 'ioredis';
import type { Finding } from '../core/finding.ts';
import { deadQueueName, prefixOf, rowKeys } from './keys.ts';
import { refusal, unlessRefused } from './refused.ts';
import { parseInfo } from './server-facts.ts';

const SLOTS = 16_384;
const CHECK = 'hash slots';
export const SPOKEN_TO_ALONE = 'it is a node of a Redis Cluster, and is spoken to as if it were alone';

/** @param label of the server, or of the Cluster */
export async function examineSlots(client: Redis | Cluster, label: string): Promise<Finding> {
  if ('nodes' in client) {
    const info = await unlessRefused(() => client.cluster('INFO'));
    return 'refused' in info
      ? refusal(CHECK, label, info.refused, 'Allow this user CLUSTER INFO.')
      : judgeSlots(label, info.value);
  }
  const info = await unlessRefused(() => client.info('cluster'));
  if ('refused' in info) return refusal(CHECK, label, info.refused, 'Allow this user INFO.');
  const base = { check: CHECK, subject: label };
  if (parseInfo(info.value).cluster_enabled !== '1')
    return { ...base, level: 'ok', found: 'no Cluster: every key has one place' };
  return {
    ...base,
    level: 'problem',
    found: SPOKEN_TO_ALONE,
    advice: 'Give the address as redis+cluster://host:port,host:port.',
  };
}

/** @param info the reply of CLUSTER INFO */
export function judgeSlots(cluster: string, info: string): Finding {
  const { cluster_state: state = 'unknown', cluster_slots_ok: served = '0', cluster_size: size } = parseInfo(info);
  const base = { check: CHECK, subject: cluster };
  if (state === 'ok' && Number(served) === SLOTS)
    return { ...base, level: 'ok', found: `all ${SLOTS} are served, by ${size} primaries` };
  return {
    ...base,
    level: 'problem',
    found: `${served} of ${SLOTS} are served, and the state of the Cluster is ${state}`,
    advice: 'What lives in the others stands still: bring their primaries back, or assign the slots.',
  };
}

/** One script writes to all of a destination's keys, so they must live together. */
export async function slotOf(name: string, cluster: Cluster): Promise<Finding> {
  const base = { check: 'hash slot', subject: name };
  const { byTime, byRequestId } = rowKeys(name);
  const keys = [
    `${prefixOf(name)}:${name}:wait`,
    `${prefixOf(name)}:${deadQueueName(name)}:prioritized`,
    byTime,
    byRequestId,
  ];
  const asked = await unlessRefused(() => Promise.all(keys.map((key) => cluster.cluster('KEYSLOT', key))));
  if ('refused' in asked) return refusal(base.check, name, asked.refused, 'Allow this user CLUSTER KEYSLOT.');
  const [slot = 0, ...others] = new Set(asked.value.map(Number));
  if (others.length > 0)
    return { ...base, level: 'problem', found: `its keys lie in the slots ${[slot, ...others].join(', ')}` };
  return { ...base, level: 'ok', found: `${slot}, on ${cluster.slots[slot]?.[0] ?? 'a node that is not known yet'}` };
}
