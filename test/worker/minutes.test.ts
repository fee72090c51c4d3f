// The minute figures: what a worker counts, and that handing it over is in nobody's way.
import { expect, onTestFinished, test } from 'vitest';
import { readMinutes } from '../../queue/minutes.ts';
import { MINUTE_MS, type MinuteCounts } from '../../queue/minutes.ts';
import { keepMinutes, MAX_KEPT } from '../../worker/minutes.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

const T = 1_800_000_000_000;
const DELIVERED = { disposition: 'delivered', durationMs: 20, outcome: 'response' } as const;

interface Kept {
  figures: ReturnType<typeof keepMinutes>;
  recorded: { at: number; counts: MinuteCounts }[];
  errors: Error[];
  clock: { now: number };
  redis: { answers: 'ok' | 'refuses' | 'never'; reachable: boolean };
}

/** @param everyMs long enough that a test's end alone hands over, where it is left out */
function keep(everyMs = 600_000): Kept {
  const kept: Omit<Kept, 'figures'> = {
    recorded: [],
    errors: [],
    clock: { now: T },
    redis: { answers: 'ok', reachable: true },
  };
  const figures = keepMinutes({
    record: async (at, counts) => {
      if (kept.redis.answers === 'never') await new Promise(() => {});
      if (kept.redis.answers === 'refuses') throw new Error('OOM');
      kept.recorded.push({ at, counts });
    },
    isReachable: () => kept.redis.reachable,
    onError: (error) => kept.errors.push(error),
    everyMs,
    now: () => kept.clock.now,
  });
  onTestFinished(() => figures.close());
  return { ...kept, figures };
}

test('deliveries, retries, deaths and durations stand in the minute in which they happened', async () => {
  const world = await createWorld({ destination: { retry: { baseMs: 20, capMs: 600, maxAttempts: 2 } } });
  const worker = await world.startWorker();
  for (const plan of [['ok'], ['503', 'ok'], ['422'], ['503', '503']]) await world.queue.add('send', planned(...plan));
  await world.queue.add('send', planned('ok'), { expiresAt: Date.now() + 50, delay: 100 });
  const ends = (): number => world.log.filter(({ msg }) => /^(delivered|dead)/.test(msg)).length;
  await eventually(() => expect(ends()).toBe(5));
  await worker.stop();
  const minutes = await readMinutes(world.reader, world.name, { minutes: 5, now: Date.now() });
  expect(minutes).toHaveLength(5);
  const sum = (name: 'delivered' | 'retried' | 'dead'): number =>
    minutes.reduce((all, minute) => all + minute[name], 0);
  // The third dead one, whose time was over, had no attempt.
  expect([sum('delivered'), sum('retried'), sum('dead')]).toEqual([2, 2, 3]);
  const busy = minutes.filter(({ p50Ms }) => p50Ms !== undefined);
  expect(busy.length).toBeGreaterThanOrEqual(1);
  for (const { p50Ms = 0, p95Ms = 0, p99Ms = 0 } of busy) {
    expect(p50Ms).toBeGreaterThan(0);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
    expect(p99Ms).toBeGreaterThanOrEqual(p95Ms);
  }
});

test('they are handed over every few seconds, one step a minute, and never when nothing happened', async () => {
  const { figures, recorded, clock } = keep(5);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(recorded).toEqual([]);
  figures.attempted(DELIVERED);
  figures.attempted({ ...DELIVERED, disposition: 'retry', durationMs: 3 });
  clock.now += MINUTE_MS;
  figures.dead();
  await eventually(() => expect(recorded).toHaveLength(2));
  expect(recorded[0]).toMatchObject({ at: T, counts: { delivered: 1, retried: 1, dead: 0 } });
  expect(recorded[0]?.counts.durations.size).toBe(2);
  expect(recorded[1]).toMatchObject({ at: T + MINUTE_MS, counts: { delivered: 0, dead: 1 } });
});

test('what Redis refuses is kept, told, and handed over when it takes it', async () => {
  const { figures, recorded, errors, redis } = keep(5);
  redis.answers = 'refuses';
  figures.attempted(DELIVERED);
  await eventually(() => expect(errors.length).toBeGreaterThan(1));
  figures.attempted(DELIVERED);
  redis.answers = 'ok';
  await eventually(() => expect(recorded).toHaveLength(1));
  expect(recorded[0]).toMatchObject({ at: T, counts: { delivered: 2 } });
});

test('while Redis is away nothing is sent, and the newest minutes alone are kept', async () => {
  const { figures, recorded, redis, clock } = keep();
  redis.reachable = false;
  for (let i = 0; i < MAX_KEPT + 20; i += 1, clock.now += MINUTE_MS) figures.dead();
  redis.reachable = true;
  await figures.close();
  expect(recorded.map(({ at }) => at)).toEqual(Array.from({ length: MAX_KEPT }, (_, i) => T + (20 + i) * MINUTE_MS));
});

test('a Redis that never answers holds up a stop for a second, and nothing else', async () => {
  const { figures, redis } = keep(5);
  redis.answers = 'never';
  figures.attempted(DELIVERED);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 1000; i += 1) figures.attempted(DELIVERED);
  const ended = await Promise.race([
    figures.close().then(() => 'closed'),
    new Promise((resolve) => setTimeout(resolve, 10_000, 'hangs')),
  ]);
  expect(ended).toBe('closed');
});
