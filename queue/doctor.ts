// What doctor asks of Redis: can it keep the promises, and does somebody serve what stands in it? It writes nothing;
// scripts are loaded into Redis' cache, as every worker loads them.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Finding } from '../core/finding.ts';
import { WaybillError } from '../core/errors.ts';
import { readDepth } from './depth.ts';
import { prefixOf } from './keys.ts';
import type { Reader } from './reader.ts';
import { refusal, unlessRefused } from './refused.ts';
import { DEAD_LETTER } from './scripts/dead-letter.ts';
import { readServer, serversOf } from './server-facts.ts';
import { SERVER_RULES } from './server-rules.ts';
import { examineSlots, slotOf, SPOKEN_TO_ALONE } from './slots.ts';

const PINGS = 5;
/** A write costs a few round trips, one after the other. */
const SLOW_ROUND_TRIP_MS = 25;

/**
 * One finding after the other, as they come.
 * @param configured the destinations of the configuration; none where there is no such list to compare with
 * @param only of the destinations
 * @param waitsFor how many replicas producers wait for
 * @throws what the driver throws when Redis goes
 */
export async function* examineRedis(
  reader: Reader,
  configured: readonly string[],
  only?: string,
  waitsFor?: number,
): AsyncGenerator<Finding> {
  const slots = await examineSlots(reader.client, reader.label);
  yield slots;
  for (const { server, client } of serversOf(reader.client, reader.label))
    yield* examineServer(server, client, waitsFor);
  // Its other nodes hold the rest; every question would be answered with MOVED.
  if (slots.found === SPOKEN_TO_ALONE) return;
  const used = await reader.destinations();
  const names = only === undefined ? new Set([...configured, ...used]) : [only];
  for (const name of [...names].toSorted()) {
    const isConfigured = configured.length === 0 || configured.includes(name);
    yield judgeUse({ name, isConfigured, ...(used.includes(name) && { row: await useOf(reader, name) }) });
    if ('nodes' in reader.client) yield await slotOf(name, reader.client);
  }
}

/**
 * To be asked before the first finding is printed.
 * @throws WaybillError NOT_FOUND when the destination is neither configured nor ever used · what the driver throws when Redis goes
 */
export async function checkExists(reader: Reader, configured: readonly string[], destination: string): Promise<void> {
  if (configured.includes(destination)) return;
  // A node that is spoken to as if it were alone cannot tell.
  if ((await examineSlots(reader.client, reader.label)).found === SPOKEN_TO_ALONE) return;
  const names = [...new Set([...configured, ...(await reader.destinations())])].toSorted();
  if (names.includes(destination)) return;
  const message = `no destination ${JSON.stringify(destination)}; there are ${names.join(', ') || 'none yet'}`;
  throw new WaybillError('NOT_FOUND', message);
}

async function* examineServer(server: string, client: Redis, waitsFor?: number): AsyncGenerator<Finding> {
  yield judgeRoundTrip(server, await roundTripMs(client));
  const read = await unlessRefused(() => readServer(client, server));
  if ('refused' in read) {
    yield refusal('info', server, read.refused, 'Allow this user the commands INFO and TIME.');
  } else {
    const policy = await unlessRefused(() => client.config('GET', 'appendfsync'));
    const appendfsync = 'refused' in policy ? undefined : valueOf(policy.value);
    const facts = {
      ...read.value,
      ...(appendfsync !== undefined && { appendfsync }),
      ...(waitsFor !== undefined && { waitsFor }),
    };
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
interface Use {
  name: string;
  isConfigured: boolean;
  row?: {
    workers: number;
    /** Those that are due; a delayed one too, from its time on. */
    waiting: number;
    /** Scheduled, retrying and postponed: their time is to come. */
    later: number;
    paused: boolean;
  };
}

async function useOf(reader: Reader, name: string): Promise<NonNullable<Use['row']>> {
  const queue = reader.queue(name);
  const { waiting, delayed } = await readDepth(reader.client, name);
  // BullMQ's score of a delayed job: its time, 12 bits to the left.
  const due = await reader.client.zcount(`${prefixOf(name)}:${name}:delayed`, '-inf', Date.now() * 0x1000);
  return {
    workers: await queue.getWorkersCount(),
    waiting: waiting + due,
    later: Math.max(0, delayed - due),
    paused: await queue.isPaused(),
  };
}

export function judgeUse({ name, isConfigured, row }: Use): Finding {
  const base = { check: 'use', subject: name };
  if (!row) return { ...base, level: 'ok', found: 'nothing was added yet, and no worker was started' };
  const { workers, waiting, later, paused } = row;
  const elsewhere = isConfigured ? '' : ', and it is not in this configuration';
  const writes = `${waiting} write(s) wait${later > 0 ? `, ${later} for a time to come` : ''}`;
  // Not a problem: doctor is asked before the workers are started, too.
  if (workers === 0 && waiting > 0)
    return {
      ...base,
      level: 'warning',
      found: `${writes}; no worker serves it${elsewhere}`,
      advice: 'Is its name right, and does a worker run?',
    };
  if (paused)
    return {
      ...base,
      level: 'warning',
      found: `paused by an operator; ${writes}`,
      advice: 'Resume it.',
    };
  return { ...base, level: 'ok', found: `${workers} worker(s), ${writes}${elsewhere}` };
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

/** CONFIG GET answers name and value. */
function valueOf(reply: unknown): string | undefined {
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
}
