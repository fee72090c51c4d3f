// What doctor asks of Redis: can it keep the promises, and does somebody serve what stands in it? It writes nothing;
// scripts are loaded into Redis' cache, as every worker loads them.
import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Finding } from '../core/finding.ts';
import { WaybillError } from '../core/errors.ts';
import { deadQueueName, prefixOf, rowKeys } from './keys.ts';
import type { Reader } from './reader.ts';
import { DEAD_LETTER } from './scripts/dead-letter.ts';
import { readServer, serversOf } from './server-facts.ts';
import { SERVER_RULES } from './server-rules.ts';
import { status } from './status.ts';

const PINGS = 5;
/** A write costs a few round trips, one after the other. */
const SLOW_ROUND_TRIP_MS = 25;
const SLOTS = 16_384;

/**
 * One finding after the other, as they come.
 * @param configured the destinations of the configuration; none where there is no such list to compare with
 * @param only of the destinations
 * @throws WaybillError NOT_FOUND when `only` is neither configured nor ever used · what the driver throws when Redis goes
 */
export async function* examineRedis(
  reader: Reader,
  configured: readonly string[],
  only?: string,
): AsyncGenerator<Finding> {
  const used = await reader.destinations();
  const names = [...new Set([...configured, ...used])].toSorted();
  if (only !== undefined && !names.includes(only)) {
    const message = `no destination ${JSON.stringify(only)}; there are ${names.join(', ') || 'none yet'}`;
    throw new WaybillError('NOT_FOUND', message);
  }
  const servers = serversOf(reader.client, reader.label);
  for (const { server, client } of servers) yield* examineServer(server, client);
  yield await examineSlots(reader.client, servers);
  for (const name of only === undefined ? names : [only]) {
    const [row] = used.includes(name) ? await status(reader, name) : [];
    yield judgeUse({ name, isConfigured: configured.length === 0 || configured.includes(name), ...(row && { row }) });
    if ('nodes' in reader.client) yield await slotOf(name, reader.client);
  }
}

async function* examineServer(server: string, client: Redis): AsyncGenerator<Finding> {
  yield judgeRoundTrip(server, await roundTripMs(client));
  const read = await unlessRefused(() => readServer(client, server));
  if ('refused' in read) {
    yield refusal('info', server, read.refused, 'Allow this user the commands INFO and TIME.');
  } else {
    const policy = await unlessRefused(() => client.config('GET', 'appendfsync'));
    const appendfsync = 'refused' in policy ? undefined : valueOf(policy.value);
    const facts = { ...read.value, ...(appendfsync !== undefined && { appendfsync }) };
    for (const rule of SERVER_RULES) yield rule(facts);
  }
  const scripts = await unlessRefused(() => tryScripts(client));
  if ('refused' in scripts)
    yield refusal('scripts', server, scripts.refused, 'Allow this user EVAL, EVALSHA and SCRIPT LOAD.');
  else yield { check: 'scripts', subject: server, level: 'ok', found: 'they run, and the one that settles loads' };
}

export function judgeRoundTrip(server: string, durationMs: number): Finding {
  const base = { check: 'round trip', subject: server, found: `${durationMs.toFixed(1)} ms` };
  if (durationMs < SLOW_ROUND_TRIP_MS) return { ...base, level: 'ok' };
  return { ...base, level: 'warning', advice: 'Each write waits for several: run producers and workers near Redis.' };
}

/** What is known of a destination: `row` when something was ever added, or a worker started. */
export interface Use {
  name: string;
  isConfigured: boolean;
  row?: { workers: number; waiting: number; paused: boolean };
}

export function judgeUse({ name, isConfigured, row }: Use): Finding {
  const base = { check: 'use', subject: name };
  if (!row) return { ...base, level: 'ok', found: 'nothing was added yet, and no worker was started' };
  const { workers, waiting, paused } = row;
  const elsewhere = isConfigured ? '' : ', and it is not in this configuration';
  if (workers === 0)
    return {
      ...base,
      level: waiting > 0 ? 'problem' : 'warning',
      found: `${waiting} write(s) wait, no worker serves it${elsewhere}`,
      advice: 'Is its name right, and does a worker run?',
    };
  if (paused)
    return { ...base, level: 'warning', found: `paused by an operator; ${waiting} write(s) wait`, advice: 'Resume it.' };
  return { ...base, level: 'ok', found: `${workers} worker(s), ${waiting} write(s) wait${elsewhere}` };
}

/** The median: the first one may have woken something up. */
async function roundTripMs(client: Redis): Promise<number> {
  const durations: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const before = performance.now();
    await client.ping();
    durations.push(performance.now() - before);
  }
  return durations.toSorted((a, b) => a - b)[Math.floor(PINGS / 2)] ?? 0;
}

async function tryScripts(client: Redis): Promise<void> {
  const lua = 'return 1';
  await client.eval(lua, 0);
  await client.evalsha(createHash('sha1').update(lua).digest('hex'), 0);
  await client.script('LOAD', DEAD_LETTER.lua);
}

async function examineSlots(
  client: Redis | Cluster,
  [first]: readonly { server: string; client: Redis }[],
): Promise<Finding> {
  const asCluster = 'nodes' in client;
  const base = { check: 'hash slots', subject: first?.server ?? 'the Cluster' };
  const info = await unlessRefused(async () => (await (first?.client ?? client).cluster('INFO')) as string);
  // A server that is no node of a Cluster refuses the question.
  if ('refused' in info) {
    if (!asCluster) return { ...base, level: 'ok', found: 'no Cluster: every key has one place' };
    return refusal(base.check, base.subject, info.refused, 'Allow this user CLUSTER INFO.');
  }
  if (!asCluster)
    return {
      ...base,
      level: 'problem',
      found: 'it is a node of a Redis Cluster, and is spoken to as if it were alone',
      advice: 'Give the address as redis+cluster://host:port,host:port.',
    };
  return judgeSlots(base.subject, info.value);
}

/** @param info the reply of CLUSTER INFO */
export function judgeSlots(server: string, info: string): Finding {
  const field = (name: string): string => new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1] ?? 'unknown';
  const served = Number(field('cluster_slots_ok'));
  const state = field('cluster_state');
  const base = { check: 'hash slots', subject: server };
  if (state === 'ok' && served === SLOTS)
    return { ...base, level: 'ok', found: `all ${SLOTS} are served, by ${field('cluster_size')} primaries` };
  return {
    ...base,
    level: 'problem',
    found: `${served} of ${SLOTS} are served, the Cluster's state is ${state}`,
    advice: 'Destinations in the others stand still: bring the missing primaries back, or assign their slots.',
  };
}

/** One script writes to all of a destination's keys, so they must live together. */
async function slotOf(name: string, cluster: Cluster): Promise<Finding> {
  const { byTime, byRequestId } = rowKeys(name);
  const prefix = prefixOf(name);
  const keys = [`${prefix}:${name}:wait`, `${prefix}:${deadQueueName(name)}:wait`, byTime, byRequestId];
  const [node] = cluster.nodes('master');
  const base = { check: 'hash slot', subject: name };
  const asked = await unlessRefused(() => Promise.all(keys.map((key) => (node ?? cluster).cluster('KEYSLOT', key))));
  if ('refused' in asked) return refusal(base.check, name, asked.refused, 'Allow this user CLUSTER KEYSLOT.');
  const [slot = 0, ...others] = new Set(asked.value.map(Number));
  if (others.length > 0) return { ...base, level: 'problem', found: `its keys lie in the slots ${[slot, ...others].join(', ')}` };
  return { ...base, level: 'ok', found: `${slot}, on ${cluster.slots[slot]?.[0] ?? 'a node that is not known yet'}` };
}

/** @returns what Redis says when it refuses; @throws when it has gone */
async function unlessRefused<T>(ask: () => Promise<T>): Promise<{ value: T } | { refused: string }> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return { refused: error.message };
    throw error;
  }
}

const MAX_REFUSAL = 200;

const refusal = (check: string, subject: string, said: string, advice: string): Finding => ({
  check,
  subject,
  level: 'problem',
  found: `refused: ${said.slice(0, MAX_REFUSAL)}`,
  advice,
});

/** CONFIG GET answers name and value. */
function valueOf(reply: unknown): string | undefined {
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
}
