// Holding a destination, with a worker at work.
import { describe, expect, test } from 'vitest';
import { audit } from '../../queue/acts.ts';
import { pauseDestination, resumeDestination } from '../../queue/pause.ts';
import { createWorld, eventually, planned } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'the API is being moved' };
const BEN = { by: 'ben', reason: 'it answers again' };

describe('a paused destination', () => {
  test('is fetched from no more until it is resumed; what was in flight is finished', async () => {
    const world = await createWorld({ destination: { concurrency: 2 } });
    await world.startWorker();
    const inFlight = await world.queue.add('send', planned('slow:400'));
    await eventually(async () => expect(await world.queue.getActiveCount()).toBe(1));
    expect(await pauseDestination(world.reader, world.name, ANN)).toMatchObject({ paused: true, changed: true });
    const held = await Promise.all([
      world.queue.add('send', planned()),
      world.queue.add('send', planned(), { priority: 3 }),
      world.queue.add('send', planned(), { delay: 20 }),
    ]);
    await world.until(inFlight.data.idempotencyKey, 'delivered');
    // The worker's slots are free by now: it would take one within milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await world.queue.getCompletedCount()).toBe(1);
    expect(await world.queue.getActiveCount()).toBe(0);

    expect(await resumeDestination(world.reader, world.name, BEN)).toMatchObject({ paused: false, changed: true });
    for (const { data } of held) await world.until(data.idempotencyKey, 'delivered');
  });

  test('a worker that waits idle takes nothing of what is added after the pause', async () => {
    const world = await createWorld();
    await world.startWorker();
    await eventually(async () => expect(await world.queue.getWorkersCount()).toBe(1));
    await pauseDestination(world.reader, world.name, ANN);
    const { data } = await world.queue.add('send', planned());
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await world.queue.getWaitingCount()).toBe(1);
    await resumeDestination(world.reader, world.name, BEN);
    await world.until(data.idempotencyKey, 'delivered');
  });

  test('stands in the audit stream with who and why, once: a second pause changes nothing and is told of the first', async () => {
    const world = await createWorld();
    await world.queue.add('send', planned());
    await pauseDestination(world.reader, world.name, ANN);
    const second = await pauseDestination(world.reader, world.name, BEN);
    expect(second).toMatchObject({ paused: true, changed: false, last: { act: 'pause', ...ANN } });
    await resumeDestination(world.reader, world.name, BEN);
    expect(await resumeDestination(world.reader, world.name, ANN)).toMatchObject({ changed: false, last: BEN });
    const entries = await Array.fromAsync(audit(world.reader, world.name));
    expect(entries).toMatchObject([
      { destination: world.name, act: 'resume', ...BEN, at: expect.any(Number) },
      { destination: world.name, act: 'pause', ...ANN, at: expect.any(Number) },
    ]);
    expect(entries).toHaveLength(2);
  });

  test('of two who pause at once one does it', async () => {
    const world = await createWorld();
    await world.queue.add('send', planned());
    const both = await Promise.all([ANN, BEN].map((who) => pauseDestination(world.reader, world.name, who)));
    expect(both.filter(({ changed }) => changed)).toHaveLength(1);
    expect(await Array.fromAsync(audit(world.reader, world.name))).toHaveLength(1);
  });

  test('paused by a plain BullMQ tool it can be resumed, and nobody is named', async () => {
    const world = await createWorld();
    await world.queue.add('send', planned());
    await world.queue.pause();
    const again = await pauseDestination(world.reader, world.name, ANN);
    expect(again).toEqual({ destination: world.name, paused: true, changed: false });
    await resumeDestination(world.reader, world.name, ANN);
    expect(await world.queue.isPaused()).toBe(false);
  });

  test('is one that exists, and the reason is given', async () => {
    const world = await createWorld();
    await expect(pauseDestination(world.reader, 'no-such-destination', ANN)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await world.queue.add('send', planned());
    const without = pauseDestination(world.reader, world.name, { by: 'ann', reason: ' ' });
    await expect(without).rejects.toMatchObject({ code: 'INVALID_WRITE' });
    expect(await world.queue.isPaused()).toBe(false);
  });
});
