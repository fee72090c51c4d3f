// What bulk operations promise when processes die, are held up, or Redis goes: each item once. On a Redis of their own: any
// runner on the tests' Redis would take them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { type Act, audit, isOperationAct } from '../../queue/acts.ts';
import { countLetters, getLetter } from '../../queue/dead-letters.ts';
import { restore } from '../../queue/operate.ts';
import { createOperation } from '../../queue/operations/create.ts';
import type { CreateRequest, Operation } from '../../queue/operations/operation.ts';
import { getOperation } from '../../queue/operations/read.ts';
import { runOperations } from '../../queue/operations/run.ts';
import { Reader } from '../../queue/reader.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { type NodeProcess, spawnNode } from '../support/processes.ts';
import { freshDestination } from '../support/redis.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { eventually, planned } from '../support/world.ts';

const CHILD = fileURLToPath(new URL('../support/operations-child.ts', import.meta.url));
const MANY = 5000;
const LIMIT_MS = 25_000;

interface Place {
  reader: Reader;
  name: string;
}

let redis: PrivateRedis;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-operations-'));
  redis = await startPrivateRedis({ dir, appendFsync: 'everysec' });
});
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
});

async function place(): Promise<Place> {
  const reader = await Reader.open(redis.url);
  onTestFinished(() => reader.close());
  return { reader, name: freshDestination() };
}

const create = async ({ reader, name }: Place, request: Partial<CreateRequest> = {}): Promise<Operation> =>
  createOperation(reader, {
    act: 'discard',
    destination: name,
    target: { filter: {} },
    frozenAt: await reader.now(),
    rate: 1000,
    by: 'ann',
    reason: 'all of them',
    ...request,
  });

const until = ({ reader, name }: Place, { id }: Operation, check: (operation: Operation) => void) =>
  eventually(async () => {
    const operation = await getOperation(reader, name, id);
    check(operation);
    return operation;
  }, LIMIT_MS);

const isDone = ({ state }: Operation): void => expect(state).toBe('done');

async function startChild({ name }: Place, leaseMs = 1000): Promise<NodeProcess> {
  const child = spawnNode(CHILD, { env: { REDIS: redis.url, DESTINATION: name, LEASE_MS: String(leaseMs) } });
  await child.waitForLine('running', 15_000);
  return child;
}

/** The letters that the audit stream says were acted on, in the order of the acts. */
async function actedOn({ reader, name }: Place): Promise<string[]> {
  const entries = await Array.fromAsync(audit(reader, name));
  return entries.filter((entry) => !isOperationAct(entry)).map((entry) => (entry as Act).letter);
}

test('a runner that is killed in the middle of 5,000 items leaves the rest to another, and each item is done once', async () => {
  const here = await place();
  const ids = await fillLetters(here.reader, here.name, MANY);
  const operation = await create(here, { confirm: { count: MANY } });
  const first = await startChild(here);
  await until(here, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(MANY / 10));
  first.kill('SIGKILL');
  await first.exited;
  const { counts } = await getOperation(here.reader, here.name, operation.id);
  expect(counts.done).toBeLessThan(MANY);
  await startChild(here);
  const done = await until(here, operation, isDone);
  expect(done.counts).toEqual({ done: MANY, refused: 0, handled: 0, missing: 0, failed: 0 });
  expect((await actedOn(here)).toSorted()).toEqual(ids);
  expect(await countLetters(here.reader, here.name)).toMatchObject({ count: 0 });
  expect(await countLetters(here.reader, here.name, { state: 'discarded' })).toMatchObject({ count: MANY });
}, 60_000);

test('killed over and over, also while it prepares, replays each write once', async () => {
  const name = freshDestination();
  const made = await createRedisWorld({ url: redis.url }, [name]);
  const world = { reader: made.reader, name };
  const worker = await made.startWorker();
  const added = await Promise.all(
    Array.from({ length: 60 }, () => made.queues[0]!.add('send', planned('401', 'ok'), { maxAttempts: 1 })),
  );
  await eventually(async () => expect(await countLetters(world.reader, name)).toMatchObject({ count: added.length }));
  await worker.stop();
  const operation = await create(world, { act: 'replay', newKey: true, frozenAt: Infinity, rate: 100 });
  for (let i = 0; i < 4; i++) {
    const child = await startChild(world, 300);
    await new Promise((resolve) => setTimeout(resolve, 100 * i));
    child.kill('SIGKILL');
    await child.exited;
  }
  await startChild(world, 300);
  const done = await until(world, operation, isDone);
  expect(done.counts).toMatchObject({ done: added.length });
  const acted = await actedOn(world);
  expect(new Set(acted).size).toBe(added.length);
  expect(acted).toHaveLength(added.length);
  expect(await world.reader.queue(world.name).getJobCountByTypes('wait', 'prioritized')).toBe(added.length);
}, 60_000);

test('of two runners at once each item is done by one', async () => {
  const here = await place();
  const ids = await fillLetters(here.reader, here.name, 300);
  const other = await Reader.open(redis.url);
  const runners = [here.reader, other].map((reader) =>
    runOperations({ reader, only: [here.name], intervalMs: 20, leaseMs: 100 }),
  );
  onTestFinished(async () => {
    await Promise.all(runners.map((runner) => runner.close()));
    await other.close();
  });
  // Two operations that mean the same letters: whoever comes second is told who was first.
  const named = await create(here, { target: { ids: ids.slice(0, 100) } });
  // Its number goes down meanwhile, and what was typed must be right.
  const all = await eventually(async () => create(here, { confirm: { count: await countOf(here) } }));
  const [one, two] = await Promise.all([until(here, named, isDone), until(here, all, isDone)]);
  expect(one.counts.done + one.counts.handled).toBe(100);
  expect(two.counts.done + two.counts.handled).toBe(two.total);
  expect(one.counts.done + two.counts.done).toBe(300);
  expect((await actedOn(here)).toSorted()).toEqual(ids);
});

test('a runner that was held up and goes on does nothing twice, also where a letter was restored meanwhile', async () => {
  const here = await place();
  const ids = await fillLetters(here.reader, here.name, 100);
  const operation = await create(here, { rate: 200 });
  const held = await startChild(here, 300);
  await until(here, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(5));
  held.kill('SIGSTOP');
  const stoppedAt = (await getOperation(here.reader, here.name, operation.id)).counts.done;
  const runner = runOperations({ reader: here.reader, only: [here.name], intervalMs: 20, leaseMs: 300 });
  onTestFinished(() => runner.close());
  await until(here, operation, isDone);
  // Around where it was held up.
  const back = ids.slice(Math.max(0, stoppedAt - 3), stoppedAt + 3);
  for (const id of back) await restore(here.reader, here.name, id, { by: 'ben', reason: 'the wrong ones' });
  held.kill('SIGCONT');
  // It is well again, and does what there is to do: the next operation.
  await runner.close();
  const next = await create(here, { target: { ids: ['nothing.g0'] } });
  await until(here, next, isDone);
  for (const id of back) expect((await getLetter(here.reader, here.name, id))?.state).toBe('open');
  const acts = await actedOn(here);
  expect(acts).toHaveLength(ids.length + back.length);
  const after = await getOperation(here.reader, here.name, operation.id);
  expect(after.counts).toEqual({ done: 100, refused: 0, handled: 0, missing: 0, failed: 0 });
});

test('an operation goes on after Redis was killed and came back', async () => {
  const here = await place();
  const errors: Error[] = [];
  const onError = (error: Error): void => void errors.push(error);
  const runner = runOperations({ reader: here.reader, only: [here.name], intervalMs: 20, leaseMs: 500, onError });
  onTestFinished(() => runner.close());
  const ids = await fillLetters(here.reader, here.name, 200);
  const operation = await create(here, { rate: 200, confirm: { count: 200 } });
  await until(here, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(20));
  redis.kill();
  await eventually(() => expect(errors.length).toBeGreaterThan(0), 20_000);
  redis = await eventually(() => startPrivateRedis({ dir, port: redis.port, appendFsync: 'everysec' }));
  const done = await until(here, operation, isDone);
  expect(done.counts).toMatchObject({ done: 200, failed: 0, handled: 0 });
  expect((await actedOn(here)).toSorted()).toEqual(ids);
}, 60_000);

const countOf = async ({ reader, name }: Place): Promise<number> => (await countLetters(reader, name)).count;
