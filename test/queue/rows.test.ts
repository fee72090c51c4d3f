// The rows of dead letters where it gets narrow: many letters of one moment, more codes than classes, letters that an older
// version has filed, a reindex beside traffic.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { bury, type Death } from '../../bench/bury.ts';
import type { WaybillBackend } from '../../queue/backend.ts';
import { countLetters, type LetterCursor, pageOfLetters } from '../../queue/dead-letters.ts';
import { groupsOf } from '../../queue/groups.ts';
import { CLASS_FIELD, classKey, deadQueueName, prefixOf, rowKeys } from '../../queue/keys.ts';
import { MAX_CLASSES, OTHER_CLASS } from '../../queue/letter-class.ts';
import type { LetterFilter } from '../../queue/letter-filter.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import { Reader } from '../../queue/reader.ts';
import { reindex } from '../../queue/reindex.ts';
import { round, scrub } from '../../queue/retention.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';

const WHO = { by: 'ann', reason: 'a test' };
const DAY_MS = 86_400_000;

async function yard(): Promise<{ name: string; reader: Reader; redis: Redis; backend: WaybillBackend }> {
  const name = freshDestination();
  const reader = await Reader.open(redisUrl());
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    await reader.close();
    redis.disconnect();
    await cleanUp([name]);
  });
  return { name, reader, redis, backend: reader.queue(name).getBackend() as unknown as WaybillBackend };
}

const NOW = Date.now() - 10_000;

const died = (n: number, code: string, at = NOW): Death => ({
  key: `key-${n}`,
  at,
  attempts: [{ status: 422, requestId: `req-${n}`, envelope: { code, message: `message ${n}` } }],
});

async function allPages(reader: Reader, name: string, filter: LetterFilter, limit: number, first: 'newest' | 'oldest') {
  const ids: string[] = [];
  let after: LetterCursor | undefined;
  do {
    const page = await pageOfLetters(reader, name, { filter, limit, first, ...(after && { after }) });
    ids.push(...page.letters.map(({ id }) => id));
    after = page.next;
  } while (after);
  return ids;
}

test('of many letters of one millisecond, in several classes, no page loses or doubles one, whoever goes meanwhile', async () => {
  const { name, reader } = await yard();
  const letters = await bury(
    reader,
    name,
    Array.from({ length: 700 }, (_, n) => died(n, `CODE_${n % 3}`)),
  );
  const sorted = letters.map(({ id }) => id).toSorted();
  expect(await allPages(reader, name, { status: 422 }, 37, 'oldest')).toEqual(sorted);
  expect(await allPages(reader, name, {}, 50, 'newest')).toEqual(sorted.toReversed());
  const { next } = await pageOfLetters(reader, name, { filter: { status: 422 }, limit: 10 });
  await discard(reader, name, next?.id ?? '', WHO);
  const rest = await pageOfLetters(reader, name, { filter: { status: 422 }, limit: 10, after: next as LetterCursor });
  expect(rest.letters.map(({ id }) => id)).toEqual(sorted.slice(10, 20));
});

test('more codes than there are classes, of whatever text, are still filtered and counted; what is not kept apart is told', async () => {
  const { name, reader, redis } = await yard();
  const deaths = Array.from({ length: MAX_CLASSES + 60 }, (_, n) => died(n, `CODE_${n}`, NOW + n));
  await bury(reader, name, [
    ...deaths,
    died(9000, 'x'.repeat(10_000), NOW - 2),
    died(9001, '\u202e😀\u0000"\\', NOW - 1),
  ]);
  expect(await redis.hlen(rowKeys(name).classes)).toBe(MAX_CLASSES);
  expect(await redis.zcard(classKey(name, OTHER_CLASS))).toBe(62);
  const { groups, other } = await groupsOf(reader, name);
  expect([groups.length, other]).toEqual([MAX_CLASSES, 62]);
  for (const code of ['CODE_5', 'CODE_1050', 'x'.repeat(10_000), '\u202e😀\u0000"\\']) {
    expect(await countLetters(reader, name, { filter: { code } })).toEqual({ count: 1, atLeast: false, scanned: 62 });
    expect(await allPages(reader, name, { code }, 5, 'newest')).toHaveLength(1);
  }
  expect(await countLetters(reader, name, { filter: { code: 'CODE_5' }, scanLimit: 30 })).toEqual({
    count: 1,
    atLeast: true,
    scanned: 30,
  });
  // A class is free again, and a reindex files one of the others there.
  const [first] = (await pageOfLetters(reader, name, { filter: { code: 'CODE_5' }, limit: 1 })).letters;
  await discard(reader, name, first?.id ?? '', WHO);
  expect(await redis.hlen(rowKeys(name).classes)).toBe(MAX_CLASSES - 1);
  expect(await reindex(reader, name)).toMatchObject({ added: 1 });
  expect(await redis.zcard(classKey(name, OTHER_CLASS))).toBe(61);
  await restore(reader, name, first?.id ?? '', WHO);
  expect(await redis.zcard(classKey(name, OTHER_CLASS))).toBe(62);
}, 60_000);

test('of letters that were never answered the code is the connection error; what has no code or no field is asked for', async () => {
  const { name, reader } = await yard();
  const envelope = { code: 'INVALID', message: 'm' };
  const reset = { outcome: 'no-answer', evidence: 'doubt', code: 'ECONNRESET' } as const;
  const [answered, named, network, both, silent] = await bury(reader, name, [
    died(1, 'INVALID'),
    { key: 'key-2', at: NOW + 1, attempts: [{ status: 422, envelope: { ...envelope, details: '{"field":"email"}' } }] },
    { key: 'key-3', at: NOW + 2, attempts: [{ ...reset, code: 'ECONNREFUSED' }, reset, { outcome: 'blocked' }] },
    { key: 'key-4', at: NOW + 3, attempts: [{ status: 503, envelope: { code: 'HTTP_503' } }, reset] },
    { key: 'key-5', at: NOW + 4, reason: 'invalid' },
  ]).then((letters) => letters.map(({ id }) => id));
  const meant = (filter: LetterFilter) => allPages(reader, name, filter, 10, 'oldest');
  expect(await meant({ code: 'ECONNRESET' })).toEqual([network]);
  expect(await meant({ code: 'HTTP_503' })).toEqual([both]);
  expect(await meant({ code: 'INVALID', without: ['field'] })).toEqual([answered]);
  expect(await meant({ without: ['field'] })).toEqual([answered, network, both, silent]);
  expect(await meant({ without: ['code', 'field'] })).toEqual([silent]);
  expect(await meant({ field: 'email', without: ['field'] })).toEqual([]);
  expect(await meant({ without: [] })).toEqual([answered, named, network, both, silent]);
  expect(await countLetters(reader, name, { filter: { without: ['code'] } })).toEqual({ count: 1, atLeast: false });
  const { groups } = await groupsOf(reader, name);
  expect(new Set(groups.map(({ code, field }) => JSON.stringify([code, field])))).toEqual(
    new Set(['["INVALID",null]', '["INVALID","email"]', '["ECONNRESET",null]', '["HTTP_503",null]', '[null,null]']),
  );
});

test('a search says how far it went, and goes on from there', async () => {
  const { name, reader } = await yard();
  await bury(
    reader,
    name,
    Array.from({ length: 100 }, (_, n) => died(n, 'CODE', NOW + n)),
  );
  const asked = { filter: { text: 'MESSAGE 7' }, first: 'newest', limit: 5, scanLimit: 30 } as const;
  const page = await pageOfLetters(reader, name, asked);
  expect(page).toMatchObject({ scanned: 25, next: { at: NOW + 75 } });
  expect(page.letters).toHaveLength(5);
  expect(await countLetters(reader, name, { filter: asked.filter, scanLimit: 40 })).toEqual({
    count: 10,
    atLeast: true,
    scanned: 40,
  });
  const none = await pageOfLetters(reader, name, { ...asked, filter: { text: 'nowhere' } });
  expect(none).toMatchObject({ letters: [], scanned: 30, next: { at: NOW + 70 } });
});

test('letters that an older version has filed are found, acted on and trimmed, and a reindex files them', async () => {
  const { name, reader, redis, backend } = await yard();
  const letters = await bury(
    reader,
    name,
    Array.from({ length: 6 }, (_, n) => died(n, 'CODE', NOW + n)),
  );
  const ids = letters.map(({ id }) => id);
  // As they left it: no class anywhere.
  await redis.del(...(await redis.keys(`${rowKeys(name).classes}*`)));
  for (const id of ids) await redis.hdel(`${prefixOf(name)}:${deadQueueName(name)}:${id}`, CLASS_FIELD);

  expect(await groupsOf(reader, name)).toEqual({ groups: [], other: 6 });
  expect(await countLetters(reader, name, { filter: { code: 'CODE' } })).toEqual({
    count: 6,
    atLeast: false,
    scanned: 6,
  });
  expect(await allPages(reader, name, { code: 'CODE' }, 2, 'oldest')).toEqual(ids);
  await replay(reader, name, ids[5] ?? '', WHO);
  await discard(reader, name, ids[4] ?? '', WHO);
  await discard(reader, name, ids[3] ?? '', WHO);
  await restore(reader, name, ids[3] ?? '', WHO);
  await round(
    backend,
    { deliveredMs: DAY_MS, deadMs: DAY_MS, deadMax: 3, handledMs: DAY_MS, auditMs: DAY_MS, keyTtlMs: -1 },
    0,
  );
  expect(await allPages(reader, name, { code: 'CODE' }, 2, 'oldest')).toEqual(ids.slice(1, 4));
  expect(await reindex(reader, name)).toMatchObject({ letters: 3, added: 2 });
  expect(await groupsOf(reader, name)).toMatchObject({ groups: [{ count: 3, code: 'CODE' }], other: 0 });
});

test('an act that is repeated by its id is done already, whatever somebody did since', async () => {
  const { name, reader, backend } = await yard();
  const [letter] = await bury(reader, name, [died(1, 'CODE')]);
  const id = letter?.id ?? '';
  const act = await discard(reader, name, id, WHO);
  await restore(reader, name, id, WHO);
  const { status, acts } = await backend.discard(id, JSON.stringify({ ...act, at: act.at + 5 }), act.at + 5, 'words');
  expect([status, acts.split('\n').length]).toEqual(['done', 2]);
  expect((await countLetters(reader, name)).count).toBe(1);
  const another = { ...act, id: 'another', reason: `"id":"${act.id}"` };
  expect(await backend.discard(id, JSON.stringify(another), act.at, 'words')).toMatchObject({ status: 'done' });
  expect((await countLetters(reader, name)).count).toBe(0);
});

test('letters that were removed by hand leave their classes too', async () => {
  const { name, reader, redis, backend } = await yard();
  const letters = await bury(
    reader,
    name,
    Array.from({ length: 900 }, (_, n) => died(n, `CODE_${n % 40}`)),
  );
  for (const { id } of letters.slice(0, 600)) await redis.del(`${prefixOf(name)}:${deadQueueName(name)}:${id}`);
  for (let i = 0; i < 3; i++) await scrub(backend, { keyTtlMs: 0 });
  expect(await countLetters(reader, name, { filter: { status: 422 } })).toEqual({ count: 300, atLeast: false });
  expect((await groupsOf(reader, name)).groups.reduce((sum, { count }) => sum + count, 0)).toBe(300);
});

test('a reindex beside deaths and acts loses none that died, and brings back none that was handled', async () => {
  const { name, reader, redis } = await yard();
  const many = (from: number) => Array.from({ length: 300 }, (_, n) => died(from + n, `CODE_${n % 7}`, NOW + n));
  const first = await bury(reader, name, many(0));
  await redis.del(rowKeys(name).byTime, rowKeys(name).classes, rowKeys(name).byRequestId);
  const other = await Reader.open(redisUrl());
  onTestFinished(() => other.close());
  const handled: string[] = [];
  const act = async () => {
    for (const [i, { id }] of first.entries()) {
      if (i % 3 !== 0) continue;
      // Not open by any row until the reindex has come to it.
      const done = await (i % 2 === 0 ? discard : replay)(other, name, id, WHO).catch((error: Error) => error);
      if (!(done instanceof Error)) handled.push(id);
    }
  };
  const [, second] = await Promise.all([reindex(reader, name), bury(other, name, many(1000)), act()]);
  await reindex(reader, name);
  const open = [...first, ...second].filter(({ id }) => !handled.includes(id)).map(({ id }) => id);
  const listed = await allPages(reader, name, { status: 422 }, 100, 'oldest');
  expect(listed.toSorted()).toEqual(open.toSorted());
  expect(await redis.hlen(rowKeys(name).byRequestId)).toBe(600);
  expect(await reindex(reader, name)).toEqual({ letters: open.length, removed: 0, added: 0 });

  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(reindex(reader, name, { signal: stop.signal })).rejects.toThrow('enough');
}, 60_000);
