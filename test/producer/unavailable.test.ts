import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createQueue, type WriteInput } from '../../producer/index.ts';
import { Reader } from '../../queue/reader.ts';
import { type FaultProxy, startProxy } from '../support/proxy.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';

const write: WriteInput = { method: 'POST', path: '/v1/profiles', body: {} };
const UNAVAILABLE = {
  code: 'QUEUE_UNAVAILABLE',
  message: expect.stringContaining('add it again with the same idempotencyKey') as string,
};

let proxy: FaultProxy;
let url: string;
beforeEach(async () => {
  const real = new URL(redisUrl());
  proxy = await startProxy({ host: real.hostname, port: Number(real.port || 6379) });
  real.host = `127.0.0.1:${proxy.port}`;
  url = real.href;
});
afterEach(() => proxy.close());

function queueThroughProxy() {
  const name = freshDestination();
  const queue = createQueue(name, { connection: url });
  onTestFinished(async () => {
    await queue.close();
    await cleanUp([name]);
  });
  return queue;
}

/** Settles, and within the 2 s that are promised (and a margin for a busy machine). */
async function within2s<T>(task: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await task;
  } finally {
    expect(performance.now() - startedAt).toBeLessThan(2500);
  }
}

describe('Redis away', () => {
  test('from the start: QUEUE_UNAVAILABLE within 2 s, and served once it is there', async () => {
    await proxy.refuse();
    const queue = queueThroughProxy();
    await within2s(expect(queue.add('send', write, { idempotencyKey: 'k' })).rejects.toMatchObject(UNAVAILABLE));
    await proxy.restore();
    await eventually(async () =>
      expect(await queue.add('send', write, { idempotencyKey: 'k' })).toMatchObject({
        id: expect.any(String) as string,
      }),
    );
  });

  test('later: QUEUE_UNAVAILABLE within 2 s, and served once it is back', async () => {
    const queue = queueThroughProxy();
    await queue.add('send', write);
    await proxy.refuse();
    await within2s(expect(queue.add('send', write, { idempotencyKey: 'k' })).rejects.toMatchObject(UNAVAILABLE));
    await proxy.restore();
    await eventually(async () =>
      expect(await queue.add('send', write, { idempotencyKey: 'k' })).toMatchObject({ duplicate: false }),
    );
  });

  test('behind a firewall that drops packets: QUEUE_UNAVAILABLE within 2 s', async () => {
    const queue = queueThroughProxy();
    await queue.add('send', write);
    proxy.blackhole();
    await within2s(expect(queue.add('send', write)).rejects.toMatchObject(UNAVAILABLE));
  });

  test('the answer alone is lost: the write was stored, and adding it again says so', async () => {
    const queue = queueThroughProxy();
    await queue.add('send', write);
    proxy.pauseReplies();
    await within2s(expect(queue.add('send', write, { idempotencyKey: 'k' })).rejects.toMatchObject(UNAVAILABLE));
    await proxy.restore();
    await eventually(async () =>
      expect(await queue.add('send', write, { idempotencyKey: 'k' })).toMatchObject({ duplicate: true }),
    );
    expect(await queue.getWaitingCount()).toBe(2);
  });

  test('in the middle of addBulk: every item is answered, within 2 s', async () => {
    const queue = queueThroughProxy();
    await queue.add('send', write);
    proxy.blackhole();
    const items = Array.from({ length: 700 }, () => ({ name: 'send' as const, data: write }));
    const answers = await within2s(queue.addBulk(items));
    expect(answers).toHaveLength(700);
    expect(answers.every(({ status }) => status === 'unavailable')).toBe(true);
  });

  test('closing does not hang', async () => {
    const queue = queueThroughProxy();
    await queue.add('send', write);
    await proxy.refuse();
    await within2s(queue.close());
    const never = createQueue(freshDestination(), { connection: url });
    await within2s(never.close());
  });
});

test('a Redis that refuses is told apart from one that is away', async () => {
  const queue = queueThroughProxy();
  const job = await queue.add('send', write);
  // A key of another type where the queue keeps its list: Redis answers WRONGTYPE.
  await queue.getBackend().client.then((client) => client.del(queue.keys.wait ?? ''));
  const raw = (await queue.getBackend().client) as unknown as { set(key: string, value: string): Promise<unknown> };
  await raw.set(queue.keys.wait ?? '', 'not a list');
  await expect(queue.add('send', write)).rejects.toMatchObject({
    code: 'QUEUE_REFUSED',
    message: expect.stringContaining('WRONGTYPE') as string,
  });
  expect(job.duplicate).toBe(false);
});

test('a database that the server does not have is refused, and no other one is written to', async () => {
  const missing = new URL(redisUrl());
  missing.pathname = '/9999';
  const queue = createQueue(freshDestination(), { connection: missing.href });
  onTestFinished(() => queue.close());
  await expect(queue.add('send', write)).rejects.toMatchObject({
    code: 'QUEUE_REFUSED',
    message: expect.stringContaining('database 9999') as string,
  });
  await expect(Reader.open(missing.href)).rejects.toMatchObject({ code: 'QUEUE_REFUSED' });
});

test('behind a firewall that forgets the connection while it shakes hands: served once another is made', async () => {
  proxy.blackhole();
  const queue = queueThroughProxy();
  await within2s(expect(queue.add('send', write, { idempotencyKey: 'k' })).rejects.toMatchObject(UNAVAILABLE));
  proxy.freezeSockets();
  await proxy.restore();
  await eventually(async () =>
    expect(await queue.add('send', write, { idempotencyKey: 'k' })).toMatchObject({ id: expect.any(String) as string }),
  );
});
