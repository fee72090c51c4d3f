// queue.waitFor(): how a write ended, read from where it stands.
import { describe, expect, onTestFinished, test } from 'vitest';
import { createQueue, type WriteQueue } from '../../producer/index.ts';
import { jobIdOf } from '../../core/write.ts';
import { discard, replay } from '../../queue/operate.ts';
import { type FaultProxy, startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'a test' };

/** A producer whose network can fail. */
async function throughProxy(name: string): Promise<{ queue: WriteQueue; proxy: FaultProxy }> {
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startProxy({ host: hostname, port: Number(port || 6379) });
  onTestFinished(() => proxy.close());
  const queue = createQueue(name, { connection: proxy.url('redis') });
  onTestFinished(() => queue.close());
  return { queue, proxy };
}

describe('waitFor', () => {
  test('answers how a write was delivered, by its key or by its job', async () => {
    const world = await createWorld();
    const job = await world.queue.add('send', planned('503', 'ok'));
    const waiting = world.queue.waitFor(job.data.idempotencyKey, { timeoutMs: 10_000 });
    await world.startWorker();
    const ending = await waiting;
    expect(ending).toMatchObject({
      destination: world.name,
      jobId: job.id,
      idempotencyKey: job.data.idempotencyKey,
      state: 'delivered',
      verdict: 'applied-once',
      status: 201,
      attempts: 2,
      requestId: expect.stringMatching(/^req_/) as string,
    });
    expect(await world.queue.waitFor(job)).toEqual(ending);
  });

  test('answers a dead write with its reason, and a discarded one as discarded', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('400'));
    const dead = await world.queue.waitFor(job);
    expect(dead).toMatchObject({ state: 'dead', reason: 'rejected', verdict: 'not-applied', code: 'VALIDATION_ERROR' });
    await discard(world.reader, world.name, dead.letter ?? '', ANN);
    expect(await world.queue.waitFor(job)).toMatchObject({ state: 'discarded', requestId: dead.requestId });
  });

  test('follows a replay, under the same key and under a new one', async () => {
    const world = await createWorld();
    await world.startWorker();
    const same = await world.queue.waitFor(await world.queue.add('send', planned('401', 'ok')));
    await replay(world.reader, world.name, same.letter ?? '', ANN);
    expect(await world.queue.waitFor(same.idempotencyKey ?? '')).toMatchObject({ state: 'delivered' });
    const other = await world.queue.waitFor(await world.queue.add('send', planned('404')));
    await replay(world.reader, world.name, other.letter ?? '', ANN, { newKey: 'wait-for-new' });
    expect(await world.queue.waitFor(other.idempotencyKey ?? '')).toMatchObject({ idempotencyKey: 'wait-for-new' });
  });

  test('answers a producer that was started after the write had ended', async () => {
    const world = await createWorld();
    await world.startWorker();
    const job = await world.queue.add('send', planned('ok'));
    await world.until(job.data.idempotencyKey, 'delivered');
    const later = createQueue(world.name, { connection: redisUrl() });
    onTestFinished(() => later.close());
    expect(await later.waitFor(job.data.idempotencyKey)).toMatchObject({ state: 'delivered' });
  });

  test('tells a write that goes on after the time limit, one that was never added, and a wrong limit', async () => {
    const world = await createWorld();
    const job = await world.queue.add('send', planned('ok'));
    await expect(world.queue.waitFor(job, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    await expect(world.queue.waitFor('never-added')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world.queue.waitFor(job, { timeoutMs: -1 })).rejects.toMatchObject({ field: 'options.timeoutMs' });
    await expect(world.queue.waitFor('')).rejects.toMatchObject({ code: 'INVALID_WRITE' });
  });

  test('goes on over a Redis that was away, and says so when it still is at the end', async () => {
    const world = await createWorld();
    const { queue, proxy } = await throughProxy(world.name);
    const job = await queue.add('send', planned('ok'));
    const waiting = queue.waitFor(job, { timeoutMs: 15_000 });
    await proxy.refuse();
    await expect(queue.waitFor(job, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await world.startWorker();
    await world.until(job.data.idempotencyKey, 'delivered');
    await proxy.restore();
    expect(await waiting).toMatchObject({ state: 'delivered' });
  });

  test('a limit that is over before the answer is a WAIT_TIMEOUT, and leaves the connection to the adds on it', async () => {
    const world = await createWorld();
    const { queue, proxy } = await throughProxy(world.name);
    const job = await queue.add('send', planned('ok'));
    const opened = proxy.opened();
    proxy.pauseReplies();
    const adding = queue.add('send', planned('ok'));
    await expect(queue.waitFor(job, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    await proxy.restore();
    expect(await adding).toMatchObject({ duplicate: false });
    expect(proxy.opened()).toBe(opened);
  });

  test('with no time to wait it looks once, however long the answer is on its way', async () => {
    const world = await createWorld();
    const { queue, proxy } = await throughProxy(world.name);
    const job = await queue.add('send', planned('ok'));
    const lookOnce = async (): Promise<unknown> => {
      proxy.pauseReplies();
      const looking = queue.waitFor(job, { timeoutMs: 0 });
      setTimeout(() => void proxy.restore(), 100);
      return looking;
    };
    await expect(lookOnce()).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    await world.startWorker();
    await world.until(job.data.idempotencyKey, 'delivered');
    expect(await lookOnce()).toMatchObject({ state: 'delivered' });
  });

  test('a Redis that refuses the look is told at once, not waited for', async () => {
    const world = await createWorld();
    const client = (await world.queue.getBackend().client) as unknown as {
      set(key: string, to: string): Promise<void>;
    };
    await client.set(world.queue.toKey(jobIdOf('of-another-type')), 'no hash');
    await expect(world.queue.waitFor('of-another-type', { timeoutMs: 120_000 })).rejects.toMatchObject({
      code: 'QUEUE_REFUSED',
      message: expect.stringContaining('WRONGTYPE') as string,
    });
  });

  test.each([[undefined], [null], [7], [{}], [{ id: undefined }], [{ id: '' }]])(
    'what is neither a key nor a job is named: %j',
    async (wrong) => {
      const queue = createQueue('never-used', { connection: redisUrl() });
      onTestFinished(() => queue.close());
      await expect(queue.waitFor(wrong as never)).rejects.toMatchObject({ code: 'INVALID_WRITE', field: 'keyOrJob' });
    },
  );
});
