// The rows of dead letters: whatever is done in whatever order they say what the letters say, and whatever is asked of
// them is what going through all letters would answer.
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { bury, type Death } from '../../bench/bury.ts';
import type { WaybillBackend } from '../../queue/backend.ts';
import {
  countLetters,
  getLetter,
  type LetterCursor,
  letters,
  pageOfLetters,
  type Selection,
} from '../../queue/dead-letters.ts';
import { groupsOf, histogramOf } from '../../queue/groups.ts';
import { CLASS_FIELD, classKey, deadQueueName, prefixOf, rowKeys } from '../../queue/keys.ts';
import { classOf } from '../../queue/letter-class.ts';
import { facetsOf, type LetterFilter, matches, WITHOUT } from '../../queue/letter-filter.ts';
import { type DeadLetter, requestIdsOf } from '../../queue/letter.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import { Reader } from '../../queue/reader.ts';
import { reindex } from '../../queue/reindex.ts';
import { round } from '../../queue/retention.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';

const DAY_MS = 86_400_000;
const KEEP = { deliveredMs: DAY_MS, deadMs: DAY_MS, deadMax: 1000, handledMs: DAY_MS, auditMs: DAY_MS, keyTtlMs: -1 };
const WHO = { by: 'fc', reason: 'because' };
const CODES = ['VALIDATION_ERROR', 'NOT_FOUND', '__proto__', '😀 "quoted"\\', 'toString'];

interface Yard {
  name: string;
  reader: Reader;
  redis: Redis;
}

async function yard(): Promise<Yard> {
  const name = freshDestination();
  const reader = await Reader.open(redisUrl());
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    await reader.close();
    redis.disconnect();
    await cleanUp([name]);
  });
  return { name, reader, redis };
}

let serial = 0;
/** All within a few milliseconds: many in each. */
const deaths = (now: number): fc.Arbitrary<Death> =>
  fc
    .record({
      code: fc.constantFrom(...CODES),
      network: fc.constantFrom(undefined, undefined, 'ECONNRESET', 'none'),
      field: fc.constantFrom(undefined, 'phone', 'constructor'),
      status: fc.constantFrom(400, 404, 422),
      attempts: fc.integer({ min: 0, max: 3 }),
      evidence: fc.constantFrom('not-applied', 'doubt'),
      reason: fc.constantFrom('rejected' as const, 'exhausted' as const),
      ms: fc.nat(3),
      word: fc.constantFrom('alpha', 'Beta'),
    })
    .map(({ code, network, field, status, attempts, evidence, reason, ms, word }): Death => {
      serial += 1;
      const details = field === undefined ? {} : { details: JSON.stringify({ field }) };
      const id = serial;
      return {
        key: `key-${id}`,
        at: now + ms,
        reason,
        body: JSON.stringify({ word }),
        attempts: Array.from({ length: attempts }, (_, i) =>
          network === undefined
            ? {
                evidence: evidence as 'doubt',
                status,
                requestId: `req-${id}-${i}`,
                envelope: { code, message: `about ${word}`, ...details },
              }
            : { outcome: 'no-answer', evidence: 'doubt', ...(network !== 'none' && { code: network }) },
        ),
      };
    });

type Step = { do: 'replay' | 'discard' | 'restore' | 'die-again'; at: number } | { do: 'trim'; at: number };

const steps = fc.array(
  fc.record({ do: fc.constantFrom('replay', 'discard', 'restore', 'die-again', 'discard', 'trim'), at: fc.nat(60) }),
  { maxLength: 40 },
) as fc.Arbitrary<Step[]>;

const filters: fc.Arbitrary<Omit<LetterFilter, 'since' | 'before'> & { from?: number; to?: number }> = fc.record(
  {
    code: fc.constantFrom(...CODES, 'NONE', 'ECONNRESET'),
    field: fc.constantFrom('phone', 'constructor'),
    without: fc.subarray([...WITHOUT]),
    status: fc.constantFrom(400, 404),
    reason: fc.constantFrom('rejected' as const, 'exhausted' as const),
    verdict: fc.constantFrom('not-applied' as const, 'in-doubt' as const),
    attempts: fc.nat(3),
    replayed: fc.boolean(),
    text: fc.constantFrom('ALPHA', 'beta', '/v1/'),
    from: fc.nat(4),
    to: fc.nat(4),
  },
  { requiredKeys: [] },
);

test('any sequence of deaths, replays, discards, restores and trims leaves rows that equal the letters, and a rebuild', async () => {
  const now = Date.now() - 1000;
  await fc.assert(
    fc.asyncProperty(
      fc.array(deaths(now), { minLength: 5, maxLength: 30 }),
      steps,
      fc.array(fc.record({ filter: filters, limit: fc.integer({ min: 1, max: 7 }), newest: fc.boolean() }), {
        minLength: 4,
        maxLength: 8,
      }),
      async (dying, sequence, asked) => {
        const { name, reader, redis } = await yard();
        const filed = new Map((await bury(reader, name, dying)).map((letter) => [letter.id, letter]));
        const model = new Map([...filed.keys()].map((id) => [id, 'open']));
        for (const step of sequence) await take({ name, reader, redis }, step, filed, model, dying);
        const open = [...filed.values()].filter(({ id }) => model.get(id) === 'open');
        await checkRows({ name, reader, redis }, open);
        const rows = await dump({ name, reader, redis });
        expect(await reindex(reader, name)).toEqual({ letters: open.length, removed: 0, added: 0 });
        expect(await dump({ name, reader, redis })).toEqual(rows);
        for (const { filter, limit, newest } of asked) {
          const { from, to, ...inside } = filter;
          const whole = {
            ...inside,
            ...(from !== undefined && { since: now + from }),
            ...(to !== undefined && { before: now + to }),
          };
          await checkAnswers({ name, reader, redis }, open, whole, limit, newest ? 'newest' : 'oldest');
        }
        await wreck({ name, reader, redis });
        await reindex(reader, name);
        expect(await dump({ name, reader, redis })).toEqual(rows);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

async function take(
  { name, reader }: Yard,
  step: Step,
  filed: Map<string, DeadLetter>,
  model: Map<string, string>,
  dying: readonly Death[],
): Promise<void> {
  const of = (state: string) => [...model].flatMap(([id, is]) => (is === state ? [id] : [])).toSorted();
  const pick = (ids: string[]) => ids[step.at % Math.max(1, ids.length)];
  switch (step.do) {
    case 'replay':
    case 'discard': {
      const id = pick(of('open'));
      if (id === undefined) return;
      await (step.do === 'replay' ? replay : discard)(reader, name, id, WHO);
      model.set(id, step.do === 'replay' ? 'replayed' : 'discarded');
      return;
    }
    case 'restore': {
      const id = pick(of('discarded'));
      if (id === undefined) return;
      await restore(reader, name, id, WHO);
      model.set(id, 'open');
      return;
    }
    case 'die-again': {
      const id = pick(of('replayed').filter((one) => !filed.has(nextOf(one))));
      if (id === undefined) return;
      const { write, deadAt, journal } = filed.get(id) as DeadLetter;
      const death = dying[step.at % dying.length] as Death;
      // Its last answer is the one that the API has stored: of the same request_id.
      serial += 1;
      const own = (death.attempts ?? []).slice(1).map((entry, i) => ({ ...entry, requestId: `req-${serial}-${i}` }));
      const attempts = [...own, ...journal.attempts.slice(-1)];
      const generation = journal.generation + 1;
      const [letter] = await bury(reader, name, [
        { ...death, key: write?.idempotencyKey ?? '', at: deadAt + (step.at % 2), attempts, generation },
      ]);
      if (letter) {
        filed.set(letter.id, letter);
        model.set(letter.id, 'open');
      }
      return;
    }
    case 'trim': {
      const backend = reader.queue(name).getBackend() as unknown as WaybillBackend;
      await round(backend, { ...KEEP, deadMax: 4 + (step.at % 20) }, 0);
      for (const id of model.keys()) if (!(await getLetter(reader, name, id))) model.delete(id);
    }
  }
}

const nextOf = (id: string): string => id.replace(/\d+$/, (digits) => String(Number(digits) + 1));

/** The rows against the letters that should be open. */
async function checkRows({ name, redis }: Yard, open: readonly DeadLetter[]): Promise<void> {
  const { byTime, classes, byRequestId } = rowKeys(name);
  const pairs = (rows: readonly DeadLetter[]) => rows.flatMap(({ id, deadAt }) => [id, String(deadAt)]);
  const byPlace = (a: DeadLetter, b: DeadLetter) => a.deadAt - b.deadAt || (a.id < b.id ? -1 : 1);
  const sorted = open.toSorted(byPlace);
  expect(await redis.zrange(byTime, '0', '-1', 'WITHSCORES')).toEqual(pairs(sorted));
  const byClass = Map.groupBy(sorted, (letter) => classOf(letter).id);
  const registry = await redis.hgetall(classes);
  expect(Object.keys(registry).toSorted()).toEqual([...byClass.keys()].toSorted());
  for (const [id, members] of byClass) {
    expect(registry[id]).toBe(classOf(members[0] as DeadLetter).facets);
    expect(await redis.zrange(classKey(name, id), '0', '-1', 'WITHSCORES')).toEqual(pairs(members));
  }
  for (const letter of open) {
    for (const requestId of requestIdsOf(letter.journal)) {
      expect(await redis.hget(byRequestId, requestId)).toBe(letter.id);
    }
  }
}

/** Everything that a reindex may write. */
async function dump({ name, redis }: Yard): Promise<unknown> {
  const { byTime, byRequestId, classes } = rowKeys(name);
  const registry = await redis.hgetall(classes);
  const sets: Record<string, string[]> = { byTime: await redis.zrange(byTime, '0', '-1', 'WITHSCORES') };
  for (const id of [...Object.keys(registry), 'other']) {
    sets[id] = await redis.zrange(classKey(name, id), '0', '-1', 'WITHSCORES');
  }
  return { registry, sets, requests: await redis.hgetall(byRequestId) };
}

/** Rows gone, rows that lead nowhere, letters in a wrong class, letters of no class. */
async function wreck({ name, redis }: Yard): Promise<void> {
  const { byTime, byRequestId, classes } = rowKeys(name);
  const ids = await redis.zrange(byTime, '0', '-1');
  const [some = 'other', another = 'x'] = await redis.hkeys(classes);
  await redis.zadd(byTime, 5, 'nobody.g0');
  await redis.zadd(classKey(name, some), 5, 'nobody.g0', 6, ids[0] ?? 'x');
  await redis.hset(classes, 'bogus', 'no facets', another, '["other facets"]');
  await redis.zadd(classKey(name, 'bogus'), 7, 'nobody.g1');
  await redis.hset(byRequestId, 'req-of-nobody', 'nobody.g0', 'req-of-another', ids[0] ?? 'x');
  for (const [i, id] of ids.entries()) {
    const letterKey = `${prefixOf(name)}:${deadQueueName(name)}:${id}`;
    if (i % 3 === 0) await redis.hdel(letterKey, CLASS_FIELD);
    if (i % 3 === 1) await redis.zrem(byTime, id);
    if (i % 5 === 2) await redis.hset(letterKey, CLASS_FIELD, some);
  }
  for (const requestId of (await redis.hkeys(byRequestId)).slice(0, 5)) await redis.hdel(byRequestId, requestId);
}

async function checkAnswers(
  { name, reader }: Yard,
  open: readonly DeadLetter[],
  filter: LetterFilter,
  limit: number,
  first: 'oldest' | 'newest',
): Promise<void> {
  const meant = open
    .filter((letter) => matches(letter, filter))
    .toSorted((a, b) => a.deadAt - b.deadAt || (a.id < b.id ? -1 : 1));
  if (first === 'newest') meant.reverse();
  const ids = meant.map(({ id }) => id);
  const asked: Selection = { first, filter };
  const all = await Array.fromAsync(letters(reader, name, asked));
  expect(all.map(({ id }) => id)).toEqual(ids);

  const paged: string[] = [];
  let after: LetterCursor | undefined;
  do {
    const page = await pageOfLetters(reader, name, { ...asked, limit, ...(after && { after }) });
    expect(page.letters.length).toBeLessThanOrEqual(limit);
    if (filter.text === undefined)
      expect(page).toMatchObject({ scanned: 0, letters: { length: Math.min(limit, ids.length - paged.length) } });
    paged.push(...page.letters.map(({ id }) => id));
    after = page.next;
  } while (after);
  expect(paged).toEqual(ids);
  const count = await countLetters(reader, name, { filter });
  expect(count).toMatchObject({ count: ids.length, atLeast: false });

  const [from, stepMs, slices] = [Math.min(...open.map(({ deadAt }) => deadAt), Date.now()) - 1, 2, 3];
  const inSlices = (some: readonly DeadLetter[]) =>
    Array.from({ length: slices }, (_, i) => {
      const begin = from + i * stepMs;
      return some.filter(({ deadAt }) => deadAt >= begin && deadAt < begin + stepMs).length;
    });
  expect(await histogramOf(reader, name, { filter, from, stepMs, slices })).toEqual({
    counts: inSlices(meant),
    atLeast: false,
  });
  if (filter.text !== undefined) return;
  const { groups, other } = await groupsOf(reader, name, { filter, spark: { from, stepMs, slices } });
  const byGroup = Map.groupBy(meant, (letter) => groupName(facetsOf(letter)));
  expect(other).toBe(0);
  expect(groups.map(({ count: size }) => size)).toEqual(
    groups.map(({ count: size }) => size).toSorted((a, b) => b - a),
  );
  expect(new Set(groups.map(groupName))).toEqual(new Set(byGroup.keys()));
  for (const group of groups) {
    const members = byGroup.get(groupName(group)) ?? [];
    const times = members.map(({ deadAt }) => deadAt);
    expect(group).toMatchObject({
      count: members.length,
      firstAt: Math.min(...times),
      lastAt: Math.max(...times),
      spark: inSlices(members),
      reasons: tally(members.map(({ reason }) => reason)),
      verdicts: tally(members.map(({ verdict }) => verdict)),
      statuses: tally(members.flatMap(({ status }) => (status === undefined ? [] : [String(status)]))),
    });
  }
}

const groupName = ({ code, field }: { code?: string; field?: string }): string => JSON.stringify([code, field]);
const tally = (values: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));
