// What another policy would have done, over letters that a worker has filed.
import { describe, expect, test } from 'vitest';
import type { WhatIf } from '../../dashboard/api/contract/what-if.ts';
import { resolveConfig } from '../../core/config.ts';
import { letters } from '../../queue/dead-letters.ts';
import { replay } from '../../queue/operate.ts';
import { whatIfOf } from '../../queue/what-if.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

/** Waits of 20, 40 ms and so on, so that three attempts are over in a moment. */
const retry = { maxAttempts: 3, baseMs: 20, capMs: 60_000, jitter: 0 };
const OUT = ['503', '503', '503'];

async function worldWith(...plans: string[][]): Promise<World> {
  const world = await createWorld({ destination: { retry } });
  await world.startWorker();
  for (const plan of plans) {
    const { data } = await world.queue.add('send', planned(...plan));
    await world.until(data.idempotencyKey, plan.slice(0, retry.maxAttempts).includes('ok') ? 'delivered' : 'dead');
  }
  return world;
}

const ask = (world: World, policy: Parameters<typeof whatIfOf>[2]['policy'], more = {}): Promise<WhatIf> =>
  whatIfOf(world.reader, resolveConfig(world.config), { destination: world.name, policy, ...more });

/** Lets so much time pass since the last attempt on record. */
async function since(world: World, ms: number): Promise<void> {
  const all = await Array.fromAsync(letters(world.reader, world.name));
  const last = Math.max(...all.map(({ journal }) => journal?.attempts.at(-1)?.at ?? 0));
  await eventually(() => expect(Date.now()).toBeGreaterThan(last + ms));
}

describe('an outage that the destination came out of', () => {
  test('saves the letters whose further attempts come after its first delivery, at so many calls', async () => {
    const world = await worldWith(OUT, ['422']);
    await since(world, 300);
    const { data } = await world.queue.add('send', planned());
    await world.until(data.idempotencyKey, 'delivered');
    // The next attempts are 80, 240, 560, … ms after the last: up to 20 of them reach past any delivery of this test.
    const answer = await ask(world, { maxAttempts: 20 });
    expect(answer).toMatchObject({ examined: 2, more: false, eligible: 1, saved: 1, unknown: 0 });
    expect(answer.extraCalls).toBeGreaterThanOrEqual(2);
    expect(answer.extraCallsOfSaved).toBe(answer.extraCalls);
    expect(answer.byGroup).toMatchObject([
      { destination: world.name, code: expect.any(String), eligible: 1, saved: 1 },
    ]);
    expect(answer.coversMs).toBeGreaterThan(60_000);
    // One attempt more would have been 80 ms later, when nothing tells how the API was.
    expect(await ask(world, { maxAttempts: 4 })).toMatchObject({ saved: 0, unknown: 1, extraCalls: 1 });
  });

  test('a replay that was delivered tells it too, and the letter is counted still', async () => {
    const world = await worldWith([...OUT, 'ok']);
    const [letter] = await Array.fromAsync(letters(world.reader, world.name));
    await since(world, 100);
    await replay(world.reader, world.name, letter?.id ?? '', { by: 'ann', reason: 'it is back' });
    await world.until(letter?.jobId ?? '', 'delivered');
    expect(await ask(world, { maxAttempts: 20 })).toMatchObject({ eligible: 1, saved: 1, unknown: 0 });
    expect(await ask(world, { maxAttempts: 20 }, { states: ['open'] })).toMatchObject({ examined: 0, eligible: 0 });
  });
});

test('others were delivered while it failed: what comes after them tells nothing of it', async () => {
  const world = await createWorld({ destination: { retry: { ...retry, baseMs: 500 } } });
  await world.startWorker();
  const { data } = await world.queue.add('send', planned(...OUT));
  // The third attempt is a second away then.
  await eventually(async () => {
    const { journal } = await world.until(data.idempotencyKey, 'retrying');
    expect(journal.attempts).toHaveLength(2);
  });
  const other = await world.queue.add('send', planned());
  await world.until(other.data.idempotencyKey, 'delivered');
  await world.until(data.idempotencyKey, 'dead');
  const last = await world.queue.add('send', planned());
  await world.until(last.data.idempotencyKey, 'delivered');
  expect(await ask(world, { maxAttempts: 20 })).toMatchObject({ eligible: 1, saved: 0, unknown: 1 });
});

test('nothing was delivered since: unknown, not saved', async () => {
  const world = await worldWith(['ok'], OUT);
  expect(await ask(world, { maxAttempts: 8 })).toMatchObject({ eligible: 1, saved: 0, unknown: 1, extraCalls: 5 });
});

test('with fewer attempts calls are saved, and deliveries that needed more are told apart', async () => {
  const world = await worldWith(OUT, ['503', 'ok'], ['ok']);
  expect(await ask(world, { maxAttempts: 1 })).toMatchObject({
    examined: 1,
    eligible: 1,
    saved: 0,
    extraCalls: -2,
    wouldHaveDied: { deliveries: 1, savedCalls: 1, examined: 2, more: false },
  });
  expect(await ask(world, { maxAttempts: 3 })).not.toHaveProperty('wouldHaveDied');
});

test('a filter says which letters, and a cap below the base is refused', async () => {
  const world = await worldWith(OUT, OUT);
  expect(await ask(world, { maxAttempts: 8 }, { filter: { attempts: 3 } })).toMatchObject({ eligible: 2 });
  expect(await ask(world, { maxAttempts: 8 }, { filter: { reason: 'rejected' } })).toMatchObject({ examined: 0 });
  await expect(ask(world, { capMs: 10 })).rejects.toMatchObject({ code: 'INVALID_CONFIG', field: 'policy.capMs' });
});
