// What a Redis server must be like, and what less than that costs. One rule each, pure: a worker asks a few of them
// before it starts, doctor all of them.
import type { Finding } from '../core/finding.ts';
import type { ServerFacts } from './server-facts.ts';

/** LPOS, which the settling script needs, came with 6.0.6; BullMQ recommends 6.2. */
export const MIN_REDIS = [6, 2] as const;
/** The oldest that the tests run on. */
export const RECOMMENDED_REDIS = [7, 0] as const;
/** As far as a worker's clock is ahead, so much too early are its scheduled writes and retries (measured with a minute). */
export const MAX_CLOCK_DIFFERENCE_MS = 1000;
/** Of the memory that Redis may take. */
const MUCH_MEMORY = 0.75;
const FULL_MEMORY = 0.95;

type Rule = (facts: ServerFacts) => Finding;

function version({ server, info }: ServerFacts): Finding {
  const given = info.redis_version ?? '';
  const valkey = info.valkey_version;
  const found = valkey === undefined ? given || 'unknown' : `Valkey ${valkey}, speaking as Redis ${given}`;
  const base = { check: 'version', subject: server, found };
  if (isOlder(given, MIN_REDIS))
    return { ...base, level: 'problem', advice: `${MIN_REDIS.join('.')} or newer is needed.` };
  if (isOlder(given, RECOMMENDED_REDIS))
    return {
      ...base,
      level: 'warning',
      advice: `It works; ${RECOMMENDED_REDIS.join('.')} or newer is what is tested.`,
    };
  return { ...base, level: 'ok' };
}

function isOlder(given: string, [major, minor]: readonly [number, number]): boolean {
  const [givenMajor = 0, givenMinor = 0] = given.split('.').map(Number);
  return !(givenMajor > major || (givenMajor === major && givenMinor >= minor));
}

function eviction({ server, info }: ServerFacts): Finding {
  const policy = info.maxmemory_policy || 'unknown';
  const base = { check: 'eviction', subject: server };
  if (policy === 'noeviction')
    return { ...base, level: 'ok', found: 'noeviction: a full memory refuses, and drops nothing' };
  return {
    ...base,
    level: 'problem',
    found: `maxmemory-policy ${policy} evicts keys when memory is short, so writes could vanish`,
    advice: 'Set maxmemory-policy noeviction.',
  };
}

function clock({ server, clockDifferenceMs }: ServerFacts): Finding {
  const base = { check: 'clock', subject: server };
  const apartMs = Math.abs(clockDifferenceMs);
  if (apartMs <= MAX_CLOCK_DIFFERENCE_MS) return { ...base, level: 'ok', found: `${apartMs} ms from this machine's` };
  return {
    ...base,
    level: 'problem',
    found: `its clock is ${(apartMs / 1000).toFixed(1)} s ${clockDifferenceMs > 0 ? 'behind' : 'ahead of'} this machine's, so retries would come at the wrong time`,
    advice: 'Synchronize both; at most 1 s is allowed.',
  };
}

/** What is lost, and when: of what Redis has acknowledged. */
function appendOnly({ server, info, appendfsync }: ServerFacts): Finding {
  const base = { check: 'append-only', subject: server };
  const advice = 'Set appendfsync always: it costs a sync to disk before each answer.';
  if (info.aof_enabled !== '1') {
    const changes = info.rdb_changes_since_last_save ?? 'all';
    return {
      ...base,
      level: 'warning',
      found: `no append-only file: a restart or a crash loses every write since the last snapshot (${changes} changes now)`,
      advice: 'Set appendonly yes, best with appendfsync always.',
    };
  }
  switch (appendfsync) {
    case 'always':
      return {
        ...base,
        level: 'ok',
        found: 'appendfsync always: neither a crash nor a power loss loses what was acknowledged',
      };
    case 'everysec':
      return {
        ...base,
        level: 'warning',
        found:
          'appendfsync everysec: a crash of Redis loses nothing, a power loss about a second of what was acknowledged',
        advice,
      };
    case undefined:
      return { ...base, level: 'ok', found: 'appendonly yes; appendfsync is not known: this user may not read it' };
    default:
      return {
        ...base,
        level: 'warning',
        found: `appendfsync ${appendfsync}: a crash of Redis loses nothing, a power loss whatever the system had not written, 30 s and more`,
        advice,
      };
  }
}

/** A server whose disk has failed answers MISCONF to every write. */
function disk({ server, info }: ServerFacts): Finding {
  const base = { check: 'disk', subject: server };
  const late = Number(info.aof_delayed_fsync ?? 0);
  if (info.aof_last_write_status === 'err')
    return {
      ...base,
      level: 'problem',
      found: 'the last write to the append-only file failed: Redis refuses writes until one succeeds (MISCONF)',
      advice: "Free or mend its disk; Redis' log says what failed.",
    };
  if (info.rdb_last_bgsave_status === 'err')
    return {
      ...base,
      level: 'problem',
      found:
        'the last snapshot failed: with stop-writes-on-bgsave-error, which is the default, Redis refuses writes (MISCONF)',
      advice: "Free disk or memory for it; Redis' log says what failed.",
    };
  if (info.aof_last_bgrewrite_status === 'err')
    return {
      ...base,
      level: 'warning',
      found: 'the last rewrite of the append-only file failed: the file grows',
      advice: "Free disk or memory for it; Redis' log says what failed.",
    };
  if (late > 0)
    return {
      ...base,
      level: 'warning',
      found: `${late} sync(s) to disk came late since Redis started, and writes waited for them`,
      advice: 'Give Redis a faster disk, or one of its own.',
    };
  return { ...base, level: 'ok', found: 'its last writes to disk went well' };
}

function memory({ server, info }: ServerFacts): Finding {
  const used = Number(info.used_memory ?? 0);
  const max = Number(info.maxmemory ?? 0);
  const limit = max || Number(info.total_system_memory ?? 0);
  const share = limit > 0 ? used / limit : 0;
  const of = max > 0 ? `of maxmemory ${megabytes(max)}` : `; no maxmemory is set, the machine has ${megabytes(limit)}`;
  const found = `${megabytes(used)} used ${of} (${Math.round(share * 100)} %)`.replace(' ;', ';');
  const base = { check: 'memory', subject: server, found };
  const advice =
    max > 0
      ? 'At the limit every add is refused, and no worker can fetch. Raise maxmemory, or let delivered writes go sooner.'
      : 'When the machine runs out, the system ends Redis. Set maxmemory, or give it more memory.';
  if (share >= FULL_MEMORY) return { ...base, level: 'problem', advice };
  return share >= MUCH_MEMORY ? { ...base, level: 'warning', advice } : { ...base, level: 'ok' };
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`;

function replication({ server, info, waitsFor = 0 }: ServerFacts): Finding {
  const base = { check: 'replication', subject: server };
  if (info.role === 'slave')
    return {
      ...base,
      level: 'problem',
      found: `a replica of ${info.master_host ?? 'another'}: it refuses writes`,
      advice: 'Point to its primary, or to the Sentinels that know it.',
    };
  const replicas = Number(info.connected_slaves ?? 0);
  const online = Object.entries(info).filter(
    ([name, of]) => /^slave\d+$/.test(name) && /\bstate=online\b/.test(of),
  ).length;
  if (waitsFor > online)
    return {
      ...base,
      level: 'problem',
      found: `a primary with ${online} replica(s) that follow it; producers wait for ${waitsFor}, and every add is answered NOT_REPLICATED`,
      advice: 'Give it more replicas, or lower redis.waitForReplicas.count.',
    };
  if (waitsFor > 0)
    return {
      ...base,
      level: 'ok',
      found: `a primary with ${online} replica(s) that follow it; producers wait for ${waitsFor}, so a failover to another may lose the newest writes`,
    };
  if (replicas === 0) return { ...base, level: 'ok', found: 'a primary without replicas' };
  return {
    ...base,
    level: 'ok',
    found: `a primary with ${replicas} replica(s); they follow after the answer, so a failover may lose the newest writes`,
  };
}

/** What a worker asks before it starts. */
export const NEEDED: readonly Rule[] = [version, eviction, clock, appendOnly];
export const SERVER_RULES: readonly Rule[] = [version, eviction, appendOnly, disk, memory, clock, replication];
