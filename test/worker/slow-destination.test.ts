// Destinations of one worker do not share what a slow API holds: slots and connections are each one's own.
import { expect, onTestFinished, test } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { createWorker } from '../../worker/index.ts';
import { API_KEY, createWorld, eventually, planned } from '../support/world.ts';

const CONCURRENCY = 2;

test('an API that hangs with every slot of its destination taken holds up no other', async () => {
  const hanging = await createWorld({ destination: { concurrency: CONCURRENCY, timeoutMs: 60_000 } });
  const sound = await createWorld({ destination: { concurrency: CONCURRENCY } });
  const stop = new AbortController();
  const worker = await createWorker(
    { ...sound.config, destinations: { ...hanging.config.destinations, ...sound.config.destinations } },
    { env: { API_KEY }, logTo: { write: () => {} } },
  );
  onTestFinished(async () => {
    stop.abort();
    await worker.stop(stop.signal);
  });
  const held = await Promise.all(Array.from({ length: 5 }, () => hanging.queue.add('send', planned('hang'))));
  const sends = (): number => Object.values(hanging.sandbox.ledger().keys).flatMap((entry) => entry.sends).length;
  await eventually(() => expect(sends()).toBe(CONCURRENCY));

  const jobs = await Promise.all(Array.from({ length: 20 }, () => sound.queue.add('send', planned())));
  for (const { data } of jobs) {
    await sound.until(data.idempotencyKey, 'delivered');
    await assertAppliedOnce(sound.sandbox, data.idempotencyKey);
  }
  const states = await Promise.all(
    held.map(async ({ data }) => (await hanging.until(data.idempotencyKey, ['sending', 'waiting'])).state),
  );
  expect(states.filter((state) => state === 'sending')).toHaveLength(CONCURRENCY);
  expect(sends()).toBe(CONCURRENCY);
});
