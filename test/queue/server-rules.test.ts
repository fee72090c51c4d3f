import { expect, test } from 'vitest';
import { judgeRoundTrip, judgeUse } from '../../queue/doctor.ts';
import { parseInfo, type ServerFacts } from '../../queue/server-facts.ts';
import { SERVER_RULES } from '../../queue/server-rules.ts';
import { judgeSlots } from '../../queue/slots.ts';

const FIT: ServerFacts = {
  server: '127.0.0.1:6379',
  info: {
    redis_version: '7.0.15',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
    rdb_last_bgsave_status: 'ok',
    used_memory: '1048576',
    maxmemory: '0',
    total_system_memory: '1073741824',
    role: 'master',
    connected_slaves: '0',
  },
  clockDifferenceMs: 0,
  appendfsync: 'always',
};

/** The findings that are not in order. */
const complaints = (info: Record<string, string>, more: Partial<ServerFacts> = {}) =>
  SERVER_RULES.map((rule) => rule({ ...FIT, ...more, info: { ...FIT.info, ...info } })).filter(
    ({ level }) => level !== 'ok',
  );

test('a server that is all it should be is in order, each check with what was found', () => {
  const findings = SERVER_RULES.map((rule) => rule(FIT));
  expect(findings.every(({ level, found }) => level === 'ok' && found !== '')).toBe(true);
  expect(new Set(findings.map(({ check }) => check)).size).toBe(findings.length);
});

test.each([
  ['an old version', { redis_version: '6.0.16' }, {}, 'version', 'problem', '6.0.16', '6.2 or newer is needed'],
  ['no version', { redis_version: '' }, {}, 'version', 'problem', 'unknown', '6.2'],
  ['a version before the tested ones', { redis_version: '6.2.1' }, {}, 'version', 'warning', '6.2.1', '7.0 or newer'],
  ['eviction', { maxmemory_policy: 'allkeys-lru' }, {}, 'eviction', 'problem', 'allkeys-lru', 'noeviction'],
  ['a clock behind ours', {}, { clockDifferenceMs: 61_000 }, 'clock', 'problem', '61.0 s behind', 'at most 1 s'],
  ['a clock ahead of ours', {}, { clockDifferenceMs: -1500 }, 'clock', 'problem', '1.5 s ahead of', 'Synchronize'],
  [
    'no append-only file',
    { aof_enabled: '0', rdb_changes_since_last_save: '17' },
    {},
    'append-only',
    'warning',
    'loses every write since the last snapshot (17 changes now)',
    'Set appendonly yes',
  ],
  ['everysec', {}, { appendfsync: 'everysec' }, 'append-only', 'warning', 'about a second', 'appendfsync always'],
  ['no sync', {}, { appendfsync: 'no' }, 'append-only', 'warning', '30 s and more', 'appendfsync always'],
  ['a failed append', { aof_last_write_status: 'err' }, {}, 'disk', 'problem', 'MISCONF', 'mend its disk'],
  ['a failed snapshot', { rdb_last_bgsave_status: 'err' }, {}, 'disk', 'problem', 'MISCONF', 'Free disk or memory'],
  ['a failed rewrite', { aof_last_bgrewrite_status: 'err' }, {}, 'disk', 'warning', 'the file grows', 'Free disk'],
  ['a slow disk', { aof_delayed_fsync: '3' }, {}, 'disk', 'warning', '3 sync(s) to disk came late', 'faster disk'],
  [
    'little memory left',
    { used_memory: '80000000', maxmemory: '100000000' },
    {},
    'memory',
    'warning',
    '76 MB used of maxmemory 95 MB (80 %)',
    'Raise maxmemory',
  ],
  [
    'no memory left',
    { used_memory: '99', maxmemory: '100' },
    {},
    'memory',
    'problem',
    '(99 %)',
    'every add is refused',
  ],
  [
    'a machine that runs out of memory',
    { used_memory: '1000000000' },
    {},
    'memory',
    'warning',
    'no maxmemory is set, the machine has 1024 MB (93 %)',
    'the system ends Redis',
  ],
  [
    'too few replicas',
    { connected_slaves: '2', slave0: 'ip=::1,state=online,lag=0', slave1: 'ip=::1,state=wait_bgsave,lag=0' },
    { waitsFor: 2 },
    'replication',
    'problem',
    '1 replica(s) that follow it; producers wait for 2',
    'lower redis.waitForReplicas.count',
  ],
  ['a replica', { role: 'slave', master_host: '10.0.0.1' }, {}, 'replication', 'problem', 'of 10.0.0.1', 'primary'],
] as const)('%s is told, and nothing else', (_what, info, more, check, level, found, advice) => {
  expect(complaints(info, more)).toEqual([
    {
      check,
      level,
      subject: '127.0.0.1:6379',
      found: expect.stringContaining(found) as string,
      advice: expect.stringContaining(advice) as string,
    },
  ]);
});

test('one second of difference and the oldest version that is needed will do', () =>
  expect(complaints({ redis_version: '6.2.0' }, { clockDifferenceMs: 1000 }).map(({ level }) => level)).toEqual([
    'warning',
  ]));

test('Valkey is named as what it is', () =>
  expect(SERVER_RULES[0]?.({ ...FIT, info: { ...FIT.info, redis_version: '7.2.4', valkey_version: '8.1.0' } })).toEqual(
    {
      check: 'version',
      subject: FIT.server,
      level: 'ok',
      found: 'Valkey 8.1.0, speaking as Redis 7.2.4',
    },
  ));

test('a policy that may not be read is no complaint, and is told as not known', () => {
  const { appendfsync: _, ...unknown } = FIT;
  expect(SERVER_RULES.map((rule) => rule(unknown))).toContainEqual(
    expect.objectContaining({ check: 'append-only', level: 'ok', found: expect.stringContaining('is not known') }),
  );
});

test('the fields of INFO are read whatever their values hold', () =>
  expect(parseInfo('# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\nempty:\r\n')).toEqual({
    redis_version: '7.0.15',
    executable: '/a:b',
    empty: '',
  }));

test('a slow way to Redis is a warning', () => {
  expect(judgeRoundTrip('r', 0.31)).toMatchObject({ level: 'ok', found: '0.3 ms' });
  expect(judgeRoundTrip('r', 80)).toMatchObject({ level: 'warning', advice: expect.stringContaining('near Redis') });
});

test('a Cluster without all its slots is a problem', () => {
  const info = 'cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\ncluster_size:3\r\n';
  expect(judgeSlots('c', info)).toMatchObject({ level: 'ok', found: 'all 16384 are served, by 3 primaries' });
  const broken = info.replace('slots_ok:16384', 'slots_ok:10923').replace('state:ok', 'state:fail');
  expect(judgeSlots('c', broken)).toMatchObject({
    level: 'problem',
    found: '10923 of 16384 are served, and the state of the Cluster is fail',
  });
});

test.each([
  [undefined, true, 'ok', 'nothing was added yet'],
  [{ workers: 2, waiting: 5, later: 0, paused: false }, true, 'ok', '2 worker(s), 5 write(s) wait'],
  [{ workers: 2, waiting: 5, later: 0, paused: false }, false, 'ok', 'is not in this configuration'],
  [{ workers: 0, waiting: 0, later: 0, paused: false }, true, 'ok', '0 worker(s), 0 write(s) wait'],
  [{ workers: 0, waiting: 0, later: 3, paused: false }, true, 'ok', '0 write(s) wait, 3 for a time to come'],
  [
    { workers: 0, waiting: 1, later: 0, paused: false },
    false,
    'warning',
    '1 write(s) wait; no worker serves it, and it is not in',
  ],
  [{ workers: 1, waiting: 1, later: 0, paused: true }, true, 'warning', 'paused by an operator'],
] as const)('a destination with %j is told as such', (row, isConfigured, level, found) =>
  expect(judgeUse({ name: 'sms', isConfigured, ...(row && { row }) })).toMatchObject({
    check: 'use',
    subject: 'sms',
    level,
    found: expect.stringContaining(found),
  }),
);
