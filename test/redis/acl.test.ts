// The ACL rules of docs/redis.md, read out of that page: with them each role does all of its work, and nothing else.
// On a Cluster of one node, which asks for a few commands more than a single server.
import { readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createQueue } from '../../producer/index.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { follow, review } from '../support/redis-review.ts';
import { awaitEnds, operate, produce, read, type Story, work } from '../support/redis-roles.ts';
import { planned } from '../support/world.ts';

const PAGE = new URL('../../docs/redis.md', import.meta.url);
const PASSWORD = 'password-of-the-role';
const ROLES = ['producer', 'worker', 'reader', 'operator', 'dashboard'] as const;
type Role = (typeof ROLES)[number];

const page = await readFile(PAGE, 'utf8');
/** What stands behind the user's name. */
const rules = Object.fromEntries(
  [...page.matchAll(/^ACL SETUSER waybill-(\w+) (.*)$/gm)].map(([, role, rule]) => [role, rule?.split(' ') ?? []]),
) as Record<Role, string[]>;

/** Lua of every script that was run since the last look. */
const scripts = new Set<string>();
let cluster: RedisCluster;
let admin: Redis;
let monitor: Redis;
beforeAll(async () => {
  cluster = await startCluster({ primaries: 1 });
  ({ admin } = cluster.primaries[0]!);
  for (const role of ROLES) {
    await admin.acl('SETUSER', `waybill-${role}`, ...rules[role].map((rule) => rule.replace('PASSWORD', PASSWORD)));
  }
  await admin.set('somebody-elses', 'secret');
  monitor = await admin.monitor();
  monitor.on('monitor', (_time: string, [command, lua]: string[]) => {
    if (command?.toLowerCase() === 'eval' && lua !== undefined) scripts.add(lua);
  });
});
afterAll(async () => {
  monitor.disconnect();
  await cluster.stop();
});

const as = (role: Role) => ({ url: `redis+cluster://waybill-${role}@${cluster.hosts}`, password: PASSWORD });

/**
 * BullMQ's scripts name these for flows and deduplication, which add() refuses and no replay has, and for what another
 * version of it put aside while a queue was paused.
 */
const UNREACHED = [
  'del',
  'get',
  'lpos',
  'lrange',
  'ltrim',
  'persist',
  'pttl',
  'rename',
  'rpush',
  'sadd',
  'scard',
  'set',
  'zrem',
  'zscore',
];

interface Commands {
  asked: string[];
  named: string[];
}

/** What the work asked for, by itself or in scripts, and what those scripts name beyond that. */
async function commandsOf(duty: () => Promise<void>): Promise<Commands> {
  scripts.clear();
  await admin.config('RESETSTAT');
  await duty();
  const stats = await admin.info('commandstats');
  return {
    asked: [...stats.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name = '']) => name),
    named: [...scripts].flatMap((lua) =>
      [...lua.matchAll(/(?:rcall|redis\.p?call)\(\s*["'](\w+)["']|["']([LR]PUSH)["']/g)].map(([, called, pushed]) =>
        (called ?? pushed ?? '').toLowerCase(),
      ),
    ),
  };
}

async function expectExactly(role: Role, duty: () => Promise<void>, unreached: readonly string[] = []): Promise<void> {
  expectAllowed(role, await commandsOf(duty), unreached);
}

function expectAllowed(role: Role, { asked, named }: Commands, unreached: readonly string[]): void {
  const allowed = rules[role].flatMap((rule) => /^\+(.*)/.exec(rule)?.[1] ?? []);
  // A command that is refused in the middle of a script leaves half of it done: not one may be missing.
  const possible = new Set([...allowed, ...unreached]);
  expect([...new Set(named)].filter((name) => !possible.has(name))).toEqual([]);
  const needed = new Set([...asked, ...named.filter((name) => !unreached.includes(name))]);
  expect(allowed.filter((name) => !needed.has(name))).toEqual([]);
}

async function deniedCommands(role: Role): Promise<string[]> {
  const entries = (await admin.call('ACL', 'LOG', '128')) as unknown[];
  const fields = entries.map(
    (entry) => (Array.isArray(entry) ? entry : Object.entries(Object(entry)).flat()) as string[],
  );
  const of = (entry: string[], name: string): string => entry[entry.indexOf(name) + 1] ?? '';
  return fields.filter((entry) => of(entry, 'username') === `waybill-${role}`).map((entry) => of(entry, 'object'));
}

describe('each role does its work with the rules of the page', () => {
  const story: Story = { name: 'sms', keys: { delivered: [], dead: [] } };

  test('an application adds', () =>
    expectExactly(
      'producer',
      async () => {
        await produce(as('producer'), story);
        // An operator may set it: then the script that adds counts the active ones.
        await admin.hset('{waybill:sms}:sms:meta', 'concurrency', 9);
        await produce(as('producer'), story);
      },
      UNREACHED,
    ));

  test('a worker sends, retries, files and cleans up', () => expectExactly('worker', () => work(as('worker'), story)));

  test('an application waits for an end', () => awaitEnds(as('producer'), story));

  test('a reader looks at everything', () => expectExactly('reader', () => read(as('reader'), story)));

  test('an operator replays, discards, restores and looks', () =>
    expectExactly(
      'operator',
      async () => {
        await operate(as('operator'), story);
        await read(as('operator'), story);
      },
      UNREACHED,
    ));

  test('a dashboard shows, acts, and runs bulk operations to their end', async () => {
    const office: Story = { name: 'review', keys: { delivered: [], dead: [] } };
    for (let i = 0; i < 2; i += 1) await produce(as('producer'), office);
    await work(as('worker'), office);
    // Scripts that Redis knows already go by their hash, and name nothing here.
    await admin.script('FLUSH');
    let replayed = '';
    const reviewed = await commandsOf(async () => {
      replayed = await review(as('dashboard'), office.name);
    });
    await work(as('worker'), { ...office, keys: { delivered: [], dead: [replayed] } });
    // One that retention has to take away.
    await admin.zadd('{waybill:review}:review.operations', 1, 'long-gone');
    await admin.script('FLUSH');
    const followed = await commandsOf(() => follow(as('dashboard'), office.name));
    expectAllowed(
      'dashboard',
      { asked: [...reviewed.asked, ...followed.asked], named: [...reviewed.named, ...followed.named] },
      UNREACHED,
    );
  });

  // doctor looks whether it may ask for the configuration; the page says why it may not.
  test.each([
    ['producer', []],
    ['worker', []],
    ['reader', ['config|get']],
    ['operator', ['config|get']],
    ['dashboard', []],
  ] as const)('and the %s was refused nothing: %j', async (role, refused) =>
    expect(await deniedCommands(role)).toEqual(refused),
  );
});

test('with the keys of one destination alone, the others are out of reach', async () => {
  const only = rules.producer.map((rule) => (rule === '~{waybill:*' ? '~{waybill:mail}*' : rule));
  await admin.acl('SETUSER', 'waybill-mail', ...only.map((rule) => rule.replace('PASSWORD', PASSWORD)));
  const connection = { url: `redis+cluster://waybill-mail@${cluster.hosts}`, password: PASSWORD };
  const [mail, sms] = ['mail', 'sms'].map((name) => createQueue(name, { connection }));
  onTestFinished(async () => void (await Promise.all([mail?.close(), sms?.close()])));
  expect(await mail?.add('send', planned())).toMatchObject({ duplicate: false });
  await expect(sms?.add('send', planned())).rejects.toMatchObject({
    code: 'QUEUE_REFUSED',
    message: expect.stringContaining('NOPERM') as string,
  });
});

describe('nothing else is allowed', () => {
  const NEVER: string[][] = [
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['CONFIG', 'GET', 'requirepass'],
    ['CONFIG', 'SET', 'appendonly', 'no'],
    ['ACL', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['MONITOR'],
    ['SHUTDOWN'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['SUBSCRIBE', 'channel'],
    ['HGET', 'somebody-elses', 'field'],
    ['EVAL', "return redis.call('HGET', 'somebody-elses', 'field')", '0'],
    ['EVAL', "return redis.call('KEYS', '*')", '0'],
  ];
  const OF_ROLE: Record<Role, string[][]> = {
    producer: [
      ['DEL', '{waybill:sms}:sms:meta'],
      ['HGETALL', '{waybill:sms}:sms:meta'],
      ['HKEYS', 'waybill:destinations'],
      ['BZPOPMIN', '{waybill:sms}:sms:marker', '1'],
    ],
    worker: [
      ['HKEYS', 'waybill:destinations'],
      ['CLIENT', 'LIST'],
      ['RENAME', '{waybill:sms}:a', '{waybill:sms}:b'],
    ],
    reader: [
      ['HSET', '{waybill:sms}:sms:meta', 'paused', '1'],
      ['EVAL', "return redis.call('DEL', KEYS[1])", '1', '{waybill:sms}:sms:wait'],
      ['HSETNX', 'waybill:destinations', 'x', '1'],
    ],
    operator: [
      ['HSETNX', 'waybill:destinations', 'x', '1'],
      ['BZPOPMIN', '{waybill:sms}:sms:marker', '1'],
      ['RENAME', '{waybill:sms}:a', '{waybill:sms}:b'],
    ],
    dashboard: [
      ['HSETNX', 'waybill:destinations', 'x', '1'],
      ['BZPOPMIN', '{waybill:sms}:sms:marker', '1'],
      ['SET', 'somebody-elses', 'x'],
    ],
  };

  test.each(ROLES)('to the %s', async (role) => {
    const { port } = cluster.primaries[0]!;
    const client = admin.duplicate({ port, username: `waybill-${role}`, password: PASSWORD });
    onTestFinished(() => client.disconnect());
    for (const [command = '', ...args] of [...NEVER, ...OF_ROLE[role]]) {
      await expect(client.call(command, ...args), `${command} ${args.join(' ')}`).rejects.toThrow(
        /^NOPERM|ACL failure in script|The user executing the script/,
      );
    }
  });
});
