import { expect, test } from 'vitest';
import { createWorld, planned } from '../support/world.ts';

test('the scheduled time of each retry lies in [base, 1.2 base] after its attempt, and no send comes before it', async () => {
  const world = await createWorld({ destination: { retry: { baseMs: 40, capMs: 250, maxAttempts: 7 } } });
  await world.startWorker();
  const steps = ['503', '502', 'reset-before', '500', '429', '503', '503'];
  const jobs = await Promise.all(Array.from({ length: 20 }, () => world.queue.add('send', planned(...steps))));
  const bases = [40, 80, 160, 250, 250, 250];

  // BullMQ's own record of every delay: the time of the step in Redis, and the time the job is due.
  const letters = await Promise.all(
    jobs.map(async (job) => (await world.until(job.data.idempotencyKey, 'dead', 20_000)).letter),
  );
  const events = await world.reader.client.xrange(world.queue.keys.events ?? '', '-', '+');
  for (const letter of letters) {
    const due = (events as [string, string[]][])
      .filter(([, fields]) => fields[1] === 'delayed' && fields[3] === letter?.jobId)
      .map(([, fields]) => Number(fields[5]));
    expect(due).toHaveLength(bases.length);
    letter?.journal.attempts.slice(0, -1).forEach((attempt, i) => {
      const base = bases[i] ?? NaN;
      const { wait } = attempt;
      expect(wait?.baseMs).toBe(base);
      expect(wait?.delayMs).toBeGreaterThanOrEqual(base);
      expect(wait?.delayMs).toBeLessThanOrEqual(1.2 * base);
      // Scheduled that long after the attempt was settled, and not sent before.
      const settledAt = (due[i] ?? NaN) - (wait?.delayMs ?? NaN);
      expect(settledAt).toBeGreaterThanOrEqual(attempt.at + attempt.durationMs - 1);
      expect(letter.journal.attempts[i + 1]?.at).toBeGreaterThanOrEqual(due[i] ?? NaN);
    });
  }
});

test.each([
  ['429:retry-after=1', 1000, 1000],
  ['429:retry-after=0.5', 500, 500],
  ['429:retry-after-date=2', 1000, 3000],
])('%s is waited for by the write itself', async (step, low, high) => {
  const world = await createWorld();
  await world.startWorker();
  const job = await world.queue.add('send', planned(step));
  const found = await world.until(job.data.idempotencyKey, 'delivered');
  const [first] = found.journal.attempts;
  expect(first?.wait?.retryAfterMs).toBeGreaterThanOrEqual(low);
  expect(first?.wait?.retryAfterMs).toBeLessThanOrEqual(high);
  const [one, two] = world.sandbox.entry(job.data.idempotencyKey)?.sends ?? [];
  expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(first?.wait?.delayMs ?? NaN);
});

test('a write may override its attempts, and is not sent past its expiry', async () => {
  const world = await createWorld();
  await world.startWorker();
  const once = await world.queue.add('send', planned('503'), { maxAttempts: 1 });
  const late = await world.queue.add('send', planned(), { delay: 200, expiresAt: Date.now() + 50 });
  expect((await world.until(once.data.idempotencyKey, 'dead')).letter).toMatchObject({ reason: 'exhausted' });
  expect((await world.until(late.data.idempotencyKey, 'dead')).letter).toMatchObject({
    reason: 'too-late',
    verdict: 'not-applied',
  });
  expect(world.sandbox.entry(late.data.idempotencyKey)).toBeUndefined();
});
