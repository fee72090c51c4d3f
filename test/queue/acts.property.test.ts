// Whatever operators and retention do in whatever order, each write is in one place, and the rows tell what the letters
// themselves tell.
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { readJournal } from '../../core/journal.ts';
import { type Act, audit, letterState, parseActs } from '../../queue/acts.ts';
import type { WaybillBackend } from '../../queue/backend.ts';
import { find } from '../../queue/find.ts';
import { deadQueueName, jobIdOfLetter, prefixOf, rowKeys } from '../../queue/keys.ts';
import { type DeadLetter, requestIdsOf } from '../../queue/letter.ts';
import { wholeLetter } from '../../queue/stored-letter.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import { probe } from '../../queue/probe.ts';
import { round } from '../../queue/retention.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const DAY_MS = 86_400_000;
const KEEP = { deliveredMs: DAY_MS, deadMs: DAY_MS, deadMax: 1000, handledMs: DAY_MS, auditMs: DAY_MS, keyTtlMs: -1 };

type Step =
  | { do: 'replay' | 'replay-new' | 'probe' | 'discard' | 'restore'; at: number }
  | { do: 'trim'; keep: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('replay', 'replay-new', 'probe', 'discard', 'restore'),
        at: fc.nat(30),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), keep: fc.integer({ min: 2, max: 8 }) }) },
  ),
  { minLength: 5, maxLength: 25 },
) as fc.Arbitrary<Step[]>;

test('any sequence of deaths, replays, discards, restores and trims leaves rows that equal a rebuild from the letters', async () => {
  const world = await createWorld();
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  await world.startWorker();
  const done: string[] = [];
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      await world.queue.add('send', planned('401', '503', 'ok'));
      await world.queue.add('send', planned('503', '404'));
      // A redirect leaves a doubt, which a probe may ask about.
      await world.queue.add('send', planned('302', '403', '302', 'ok'));
      for (const step of sequence) {
        await settledAll(world);
        await take(world, redis, step, done);
      }
      await settledAll(world);
      await check(world, redis);
    }),
    { numRuns: 8 },
  );
  const acts = (await Array.fromAsync(audit(world.reader, world.name))).filter(({ act }) => act !== 'trim');
  expect(acts.map(({ act }) => act).toReversed()).toEqual(done);
});

const settledAll = (world: World) =>
  eventually(async () =>
    expect(await world.reader.queue(world.name).getJobCountByTypes('wait', 'prioritized', 'delayed', 'active')).toBe(0),
  );

async function take(world: World, redis: Redis, step: Step, done: string[]): Promise<void> {
  if (step.do === 'trim') {
    const backend = world.reader.queue(world.name).getBackend() as unknown as WaybillBackend;
    await round(backend, { ...KEEP, deadMax: step.keep }, 0);
    return;
  }
  const ids = (await lettersOf(world, redis)).map(({ letter }) => letter.id).toSorted();
  const id = ids[step.at % Math.max(1, ids.length)];
  if (id === undefined) return;
  const who = { by: 'fc', reason: 'because' };
  try {
    if (step.do === 'replay') await replay(world.reader, world.name, id, who);
    else if (step.do === 'replay-new') await replay(world.reader, world.name, id, who, { newKey: true });
    else if (step.do === 'probe') await probe(world.reader, world.name, id, who);
    else if (step.do === 'discard') await discard(world.reader, world.name, id, who);
    else await restore(world.reader, world.name, id, who);
    done.push(step.do === 'replay-new' ? 'replay' : step.do);
  } catch (error) {
    // Handled already, or a rule refuses: nothing may have changed then, which the rebuild shows.
    expect((error as { code?: string }).code).toMatch(/^(LETTER_HANDLED|REPLAY_REFUSED)$/);
  }
}

interface Stored {
  letter: DeadLetter;
  acts: Act[];
}

/** Straight from the letters' hashes. */
async function lettersOf(world: World, redis: Redis): Promise<Stored[]> {
  const keys = await redis.keys(`${prefixOf(world.name)}:${deadQueueName(world.name)}:*.g*`);
  return Promise.all(
    keys.map(async (key) => {
      const [data, acts, diedAt] = await redis.hmget(key, 'data', 'wba', 'timestamp');
      const id = key.slice(key.lastIndexOf(':') + 1);
      const known = { id, destination: world.name, jobId: jobIdOfLetter(id), deadAt: Number(diedAt) };
      const letter = wholeLetter(JSON.parse(data ?? '{}') as Record<string, unknown>, known);
      return { letter: letter as unknown as DeadLetter, acts: parseActs(acts) };
    }),
  );
}

async function check(world: World, redis: Redis): Promise<void> {
  const dead = `${prefixOf(world.name)}:${deadQueueName(world.name)}`;
  const rows = rowKeys(world.name);
  const stored = await lettersOf(world, redis);
  const of = (state: string) => stored.filter(({ acts }) => letterState(acts) === state).map(({ letter }) => letter.id);
  // Each letter stands in the one set of its state.
  expect((await redis.zrange(rows.byTime, '0', '-1')).toSorted()).toEqual(of('open').toSorted());
  expect((await redis.zrange(`${dead}:prioritized`, '0', '-1')).toSorted()).toEqual(of('open').toSorted());
  expect((await redis.zrange(`${dead}:completed`, '0', '-1')).toSorted()).toEqual(of('replayed').toSorted());
  expect((await redis.zrange(`${dead}:failed`, '0', '-1')).toSorted()).toEqual(of('discarded').toSorted());
  // Every request_id of a letter finds its write, and no row points nowhere.
  const found = await redis.hgetall(rows.byRequestId);
  for (const { letter } of stored) {
    for (const requestId of requestIdsOf(letter.journal)) {
      expect(await find(world.reader, requestId, world.name)).toMatchObject([{ jobId: letter.jobId }]);
    }
  }
  // A stored rejection bears the request_id of its first time: the newest generation's letter has the row.
  const byGeneration = stored.toSorted((a, b) => a.letter.journal.generation - b.letter.journal.generation);
  const known = new Map(
    byGeneration.flatMap(({ letter }) => requestIdsOf(letter.journal).map((id) => [id, letter.id])),
  );
  for (const [requestId, id] of Object.entries(found)) {
    if (known.has(requestId)) expect(id).toBe(known.get(requestId));
    else {
      // Of a write that was delivered after retries: its tombstone tells the same.
      const progress: unknown = JSON.parse((await redis.hget(world.queue.toKey(id), 'progress')) ?? 'null');
      expect(requestIdsOf(readJournal(progress))).toContain(requestId);
    }
  }
  // Each dead write's tombstone names a letter that stands, and is not open twice.
  const open = of('open').map((id) => id.replace(/\.g\d+$/, ''));
  expect(new Set(open).size).toBe(open.length);
  for (const jobId of await redis.zrange(world.queue.toKey('failed'), '0', '-1')) {
    const { letter } = JSON.parse((await redis.hget(world.queue.toKey(jobId), 'data')) ?? '{}') as { letter: string };
    expect(stored.map(({ letter: { id } }) => id)).toContain(letter);
  }
}
