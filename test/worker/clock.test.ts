// A clock that goes wrong while a worker runs: its scheduled writes and retries would come at the wrong time.
import { afterEach, expect, test, vi } from 'vitest';
import { WriteWorker } from '../../queue/write-worker.ts';
import { startHealthy } from '../support/wedge.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';

const MINUTE_MS = 60_000;
const WRONG = 'this clock differs from that of Redis';
const RIGHT = 'this clock agrees with that of Redis again';

const trueNow = Date.now.bind(Date);
/** As somebody sets this machine's clock; the one of Redis goes on. */
const shiftClock = (byMs: number): void => void vi.spyOn(Date, 'now').mockImplementation(() => trueNow() + byMs);
afterEach(() => void vi.restoreAllMocks());

const said = (world: World, msg: string): number => world.log.filter((line) => line.msg.startsWith(msg)).length;

test.each([MINUTE_MS, -MINUTE_MS])(
  'a worker whose clock jumps by %i ms takes nothing until it is right again, says so once, is not ready and counts as consuming nothing',
  async (byMs) => {
    const world = await createWorld();
    const worker = await startHealthy(world);
    const ready = async (): Promise<unknown> => {
      const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/readyz`);
      return [answer.status, ((await answer.json()) as { clock: string }).clock];
    };
    const consuming = async (): Promise<string | undefined> => {
      const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`);
      return /^waybill_consuming\{.*\} (\d)$/m.exec(await answer.text())?.[1];
    };
    await eventually(async () => expect(await ready()).toEqual([200, 'agrees']));
    await eventually(async () => expect(await consuming()).toBe('1'));
    shiftClock(byMs);
    const { data } = await world.queue.add('send', planned('503'));
    await eventually(() => expect(said(world, WRONG)).toBe(1));
    expect(await ready()).toEqual([503, 'differs']);
    await eventually(async () => expect(await consuming()).toBe('0'));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(world.sandbox.entry(data.idempotencyKey)).toBeUndefined();
    vi.restoreAllMocks();
    await world.until(data.idempotencyKey, 'delivered');
    expect([said(world, WRONG), said(world, RIGHT)]).toEqual([1, 1]);
    await eventually(async () => expect(await ready()).toEqual([200, 'agrees']));
    await eventually(async () => expect(await consuming()).toBe('1'));
  },
);

test('a write that was in flight when the clock jumped is tried again after its wait, by the clock of Redis', async () => {
  const baseMs = 1000;
  const world = await createWorld({ destination: { timeoutMs: 500, retry: { baseMs, capMs: baseMs } } });
  await world.startWorker();
  // Silent past its time limit, which the jump falls into.
  const { data } = await world.queue.add('send', planned('hang'));
  await eventually(() => expect(world.sandbox.entry(data.idempotencyKey)?.sends).toHaveLength(1));
  shiftClock(MINUTE_MS);
  const { nextAttemptAt = 0 } = await world.until(data.idempotencyKey, 'retrying');
  vi.restoreAllMocks();
  expect(nextAttemptAt - trueNow()).toBeLessThan(MINUTE_MS / 2);
  await world.until(data.idempotencyKey, 'delivered');
  const [first, second] = world.sandbox.entry(data.idempotencyKey)?.sends ?? [];
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(baseMs);
});

test('a clock that jumps while a worker waits for its connection, to fetch, brings no write out before its time', async () => {
  const world = await createWorld();
  const { data } = await world.queue.add('send', planned(), { delay: MINUTE_MS / 2 });
  const fetching = WriteWorker.prototype as unknown as { moveToActive: (token: string) => Promise<unknown> };
  const { moveToActive } = fetching;
  vi.spyOn(fetching, 'moveToActive').mockImplementationOnce(function first(this: unknown, token) {
    const fetched = moveToActive.call(this, token);
    shiftClock(MINUTE_MS);
    return fetched;
  });
  await world.startWorker();
  await eventually(() => expect(said(world, WRONG)).toBe(1));
  await new Promise((resolve) => setTimeout(resolve, 300));
  vi.restoreAllMocks();
  expect(world.sandbox.entry(data.idempotencyKey)).toBeUndefined();
});

test('a jump of less than is allowed holds nobody up', async () => {
  const world = await createWorld();
  await world.startWorker();
  shiftClock(600);
  const { data } = await world.queue.add('send', planned());
  await world.until(data.idempotencyKey, 'delivered');
  expect(said(world, WRONG)).toBe(0);
});

test.each([
  ['delivered', 'slow:400'],
  ['dead', '422'],
] as const)(
  'a write that was in flight when the clock jumped is %s at the time of Redis, so that nothing goes by age for it',
  async (state, step) => {
    const world = await createWorld({ sandbox: { latencyMs: 400 } });
    await world.startWorker();
    const { data, id = '' } = await world.queue.add('send', planned(step));
    await eventually(() => expect(world.sandbox.entry(data.idempotencyKey)?.sends).toHaveLength(1));
    shiftClock(MINUTE_MS);
    const { letter } = await world.until(data.idempotencyKey, state);
    vi.restoreAllMocks();
    const endedAt = letter
      ? letter.deadAt
      : Number(await world.reader.client.hget(world.queue.toKey(id), 'finishedOn'));
    expect(endedAt - trueNow()).toBeLessThan(MINUTE_MS / 2);
  },
);
