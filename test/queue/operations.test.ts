// Bulk operations on a real Redis, with real workers behind the replays.
import { describe, expect, onTestFinished, test } from 'vitest';
import { audit, isOperationAct } from '../../queue/acts.ts';
import { countLetters, getLetter } from '../../queue/dead-letters.ts';
import { discard, restore } from '../../queue/operate.ts';
import { cancelOperation, pauseOperation, resumeOperation } from '../../queue/operations/control.ts';
import { createOperation } from '../../queue/operations/create.ts';
import { actOnItem } from '../../queue/operations/item.ts';
import type { CreateRequest, Operation, Spec } from '../../queue/operations/operation.ts';
import { planOperation } from '../../queue/operations/plan.ts';
import { getOperation, listOperations, marksOfOperations, operationItems } from '../../queue/operations/read.ts';
import { type RunnerOptions, runOperations } from '../../queue/operations/run.ts';
import { trimOperations } from '../../queue/operations/trim.ts';
import { runCli } from '../cli/run-cli.ts';
import { createWorld, eventually, planned, type World } from '../support/world.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { useDatabaseOfItsOwn } from '../support/redis.ts';

useDatabaseOfItsOwn();

const ANN = { by: 'ann', reason: 'the API is well again' };
const BEN = { by: 'ben', reason: 'mine' };

function startRunner(world: World, more: Partial<RunnerOptions> = {}): { close(): Promise<void>; errors: Error[] } {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const runner = runOperations({
    reader: world.reader,
    only: [world.name],
    intervalMs: 20,
    leaseMs: 5000,
    onError,
    ...more,
  });
  onTestFinished(() => runner.close());
  return { ...runner, errors };
}

const create = async (world: World, request: Partial<CreateRequest>): Promise<Operation> =>
  createOperation(world.reader, {
    act: 'replay',
    destination: world.name,
    target: { filter: {} },
    frozenAt: await world.reader.now(),
    rate: 1000,
    stopShare: 1,
    ...ANN,
    ...request,
  });

const until = (world: World, { id }: Operation, check: (operation: Operation) => void, limitMs = 20_000) =>
  eventually(async () => {
    const operation = await getOperation(world.reader, world.name, id);
    check(operation);
    return operation;
  }, limitMs);

const untilDone = (world: World, operation: Operation) =>
  until(world, operation, ({ state }) => expect(state).toBe('done'));

/** Writes that die of their plans, in that order. */
async function died(world: World, plans: string[][]): Promise<{ key: string; letter: string }[]> {
  const dead: { key: string; letter: string }[] = [];
  for (const plan of plans) {
    const { data } = await world.queue.add('send', planned(...plan), { maxAttempts: 1 });
    const found = await world.until(data.idempotencyKey, 'dead');
    dead.push({ key: data.idempotencyKey, letter: found.letter?.id ?? '' });
  }
  // A letter's time is the worker's, and the plan's must be later.
  await new Promise((resolve) => setTimeout(resolve, 5));
  return dead;
}

const OK_AGAIN = ['401', 'ok'];
const DEAD_AGAIN = ['401', '401'];

describe('a plan', () => {
  test('counts what is meant, asks the rules, and says what a person has to type', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, [OK_AGAIN, ['reset-after'], OK_AGAIN]);
    await discard(world.reader, world.name, dead[2]?.letter ?? '', BEN);
    const plan = await planOperation(world.reader, {
      act: 'replay',
      destination: world.name,
      target: { ids: [...dead.map(({ letter }) => letter), 'nothing.g0', 'nothing.g0'] },
      newKey: true,
    });
    expect(plan).toMatchObject({
      count: 4,
      atLeast: false,
      examined: 4,
      allowed: 1,
      doubles: 0,
      verdicts: { 'not-applied': 2, 'in-doubt': 1 },
      confirm: {},
    });
    expect(plan.refused.map(({ refusal, count, sample }) => [refusal, count, sample])).toEqual([
      ['IN_DOUBT', 1, [dead[1]?.letter]],
      ['LETTER_HANDLED', 1, [dead[2]?.letter]],
      ['NOT_FOUND', 1, ['nothing.g0']],
    ]);
    const doubled = await planOperation(world.reader, {
      act: 'replay',
      destination: world.name,
      target: { filter: { verdict: 'in-doubt' } },
      newKey: true,
      acceptDouble: true,
    });
    expect(doubled).toMatchObject({ count: 1, allowed: 1, doubles: 1, confirm: { phrase: 'applied twice' } });
  });

  test('tells which key ends first', async () => {
    const world = await createWorld();
    await world.startWorker();
    const [first] = await died(world, [
      ['500', 'ok'],
      ['500', 'ok'],
    ]);
    const plan = await planOperation(world.reader, {
      act: 'replay',
      destination: world.name,
      target: { filter: { code: undefined, status: 500 } },
    });
    const letter = await getLetter(world.reader, world.name, first?.letter ?? '');
    expect(plan).toMatchObject({ count: 2, firstKeyEndsAt: letter?.keyUsableUntil });
    expect(plan.sample).toHaveLength(2);
  });
});

describe('creating one', () => {
  test('asks for the number of more than a hundred, as it is now, and for the words where a write may be applied twice', async () => {
    const world = await createWorld();
    await fillLetters(world.reader, world.name, 101);
    const asked = { act: 'discard', rate: 1 } as const;
    for (const confirm of [{}, { count: 100 }]) {
      await expect(create(world, { ...asked, confirm })).rejects.toMatchObject({
        code: 'NOT_CONFIRMED',
        field: 'confirm.count',
        message: expect.stringContaining('101 dead letters are meant now') as string,
      });
    }
    await expect(create(world, { acceptDouble: true, confirm: { count: 101, phrase: 'yes' } })).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
      field: 'confirm.phrase',
    });
    expect(await listOperations(world.reader, world.name)).toEqual([]);
    expect(await Array.fromAsync(audit(world.reader, world.name))).toEqual([]);
    const made = await create(world, { ...asked, confirm: { count: 101 } });
    expect(made).toMatchObject({ total: 101, by: 'ann' });
    expect(await Array.fromAsync(audit(world.reader, world.name))).toMatchObject([
      {
        act: 'operation-created',
        verb: 'discard',
        by: 'ann',
        reason: ANN.reason,
        count: 101,
        operation: made.id,
        filter: expect.stringMatching(/^before=\d+$/) as string,
      },
    ]);
  });

  test('refuses what names no letter, a bad rate, canary steps of a discard, and a reason that is none', async () => {
    const world = await createWorld();
    await fillLetters(world.reader, world.name, 1);
    const refused = (request: Partial<CreateRequest>) => expect(create(world, request)).rejects;
    await refused({ target: { filter: { code: 'NO_SUCH' } } }).toMatchObject({
      code: 'OPERATION_REFUSED',
      field: 'EMPTY',
    });
    await refused({ rate: 0 }).toMatchObject({ code: 'INVALID_WRITE', field: 'rate' });
    await refused({ stopShare: 2 }).toMatchObject({ field: 'stopShare' });
    await refused({ act: 'discard', steps: 'canary' }).toMatchObject({ field: 'steps' });
    await refused({ act: 'discard', newKey: true }).toMatchObject({ field: 'newKey' });
    await refused({ reason: ' ' }).toMatchObject({ field: 'reason' });
    await refused({ destination: 'never-used' }).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a running one', () => {
  test('does what was meant when it was planned: what died since is left, what somebody handled is skipped and counted', async () => {
    const world = await createWorld();
    const ids = await fillLetters(world.reader, world.name, 6);
    const frozenAt = (await world.reader.now()) - 500;
    const operation = await create(world, { act: 'discard', frozenAt });
    await fillLate(world);
    await discard(world.reader, world.name, ids[2] ?? '', BEN);
    const named = await create(world, { act: 'discard', target: { ids: [ids[3] ?? '', 'gone.g0'] }, rate: 0.5 });
    startRunner(world);
    const done = await untilDone(world, operation);
    expect(done.total).toBeLessThanOrEqual(6);
    expect(done.counts.done + done.counts.handled).toBe(done.total);
    expect(await countLetters(world.reader, world.name)).toMatchObject({ count: 1 });
    const other = await untilDone(world, named);
    expect(other.counts).toMatchObject({ missing: 1 });
    expect(await operationItems(world.reader, world.name, named.id, { result: 'missing' })).toMatchObject({
      items: [{ index: 1, letter: 'gone.g0', message: expect.stringContaining('no dead letter') as string }],
    });
    const acts = (await Array.fromAsync(audit(world.reader, world.name))).filter((act) => !isOperationAct(act));
    expect(acts).toHaveLength(6);
    expect(acts.filter((act) => 'operation' in act && act.operation === operation.id)).toHaveLength(done.counts.done);
  });

  test('says of a letter that somebody handled who did it', async () => {
    const world = await createWorld();
    const ids = await fillLetters(world.reader, world.name, 2);
    const operation = await create(world, { act: 'discard', target: { ids } });
    await discard(world.reader, world.name, ids[0] ?? '', BEN);
    startRunner(world);
    expect((await untilDone(world, operation)).counts).toMatchObject({ done: 1, handled: 1 });
    const { items } = await operationItems(world.reader, world.name, operation.id);
    expect(items).toMatchObject([
      { index: 0, result: 'handled', message: expect.stringContaining('discarded by ben') as string },
      { index: 1, result: 'done' },
    ]);
    const part = `(operation ${operation.id})`;
    expect((await runCli(['dead-letters', 'show', ids[1] ?? ''])).stdout).toContain(part);
    expect((await runCli(['dead-letters', 'audit', '--destination', world.name])).stdout).toContain(part);
  });

  test('is paused, resumed and cancelled by a person, with a reason that is written down', async () => {
    const world = await createWorld();
    await fillLetters(world.reader, world.name, 50);
    startRunner(world);
    const operation = await create(world, { act: 'discard', rate: 50 });
    const { reader, name } = world;
    await until(world, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(1));
    const before = (await marksOfOperations(reader, name))[operation.id];
    const paused = await pauseOperation(reader, name, operation.id, BEN);
    expect(paused).toMatchObject({ state: 'paused', pausedBecause: 'paused by ben: mine' });
    expect((await marksOfOperations(reader, name))[operation.id]).not.toBe(before);
    await expect(pauseOperation(reader, name, operation.id, BEN)).rejects.toMatchObject({
      code: 'OPERATION_REFUSED',
      field: 'STATE',
    });
    await eventually(async () => expect(await isHeld(world, operation)).toBe(false));
    const { counts } = await getOperation(reader, name, operation.id);
    expect(await countLetters(reader, name)).toMatchObject({ count: 50 - counts.done });
    await resumeOperation(reader, name, operation.id, ANN);
    await until(world, operation, (now) => expect(now.counts.done).toBeGreaterThan(counts.done));
    const cancelled = await cancelOperation(reader, name, operation.id, BEN);
    expect(cancelled).toMatchObject({ state: 'cancelled', endedAt: expect.any(Number) as number });
    await expect(resumeOperation(reader, name, operation.id, BEN)).rejects.toMatchObject({ field: 'STATE' });
    const acts = (await Array.fromAsync(audit(reader, name))).filter((act) => isOperationAct(act));
    expect(acts.map(({ act, by }) => `${act} ${by}`)).toEqual([
      'operation-cancelled ben',
      'operation-resumed ann',
      'operation-paused ben',
      'operation-created ann',
    ]);
    const { items, next } = await operationItems(reader, name, operation.id, { result: 'pending', limit: 5 });
    expect(items).toHaveLength(5);
    expect(items[0]?.index).toBeGreaterThanOrEqual(cancelled.counts.done);
    expect(next).toBe((items.at(-1)?.index ?? 0) + 1);
  });

  test('that is paused while it prepares prepares when it is resumed', async () => {
    const world = await createWorld();
    await fillLetters(world.reader, world.name, 3);
    const operation = await create(world, { act: 'discard' });
    await pauseOperation(world.reader, world.name, operation.id, BEN);
    startRunner(world);
    await eventually(async () => expect(await world.reader.client.smembers(liveKey(world))).toEqual([]));
    const resumed = await resumeOperation(world.reader, world.name, operation.id, ANN);
    expect(resumed.state).toBe('preparing');
    expect((await untilDone(world, operation)).counts.done).toBe(3);
  });

  test('tells what became of each replayed write', async () => {
    const world = await createWorld();
    await world.startWorker();
    const dead = await died(world, [OK_AGAIN, DEAD_AGAIN, ['reset-after']]);
    startRunner(world);
    const operation = await create(world, { newKey: true });
    const done = await until(world, operation, ({ state, after }) => {
      expect(state).toBe('done');
      expect(after.underway).toBe(0);
    });
    expect(done).toMatchObject({ counts: { done: 2, refused: 1 }, filter: { before: expect.any(Number) as number } });
    expect(done.after.delivered + done.after.dead).toBe(2);
    const { items } = await operationItems(world.reader, world.name, operation.id);
    expect(items.map(({ letter }) => letter)).toEqual(dead.map(({ letter }) => letter));
    expect(items[2]).toMatchObject({ result: 'refused', message: expect.stringContaining('applied twice') as string });
    const ends = items.slice(0, 2);
    for (const { idempotencyKey = '', end, endLetter } of ends) {
      const found = await world.until(idempotencyKey, end === 'dead' ? 'dead' : 'delivered');
      expect(found.letter?.id).toBe(endLetter);
    }
    await eventually(async () => expect(await world.reader.client.smembers(liveKey(world))).toEqual([]));
  });

  test('restores what was discarded', async () => {
    const world = await createWorld();
    const ids = await fillLetters(world.reader, world.name, 4);
    startRunner(world);
    await untilDone(world, await create(world, { act: 'discard', target: { ids: ids.slice(0, 3) } }));
    const restoring = await create(world, { act: 'restore' });
    expect(await untilDone(world, restoring)).toMatchObject({ total: 3, counts: { done: 3 } });
    expect(await countLetters(world.reader, world.name)).toMatchObject({ count: 4 });
  });

  test('does an item once, however often it is tried and whatever became of its letter since', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    const dead = await died(world, [OK_AGAIN, OK_AGAIN]);
    await worker.stop();
    const { reader, name } = world;
    const spec = (await create(world, { newKey: true })) satisfies Spec;
    const [first = '', second = ''] = dead.map(({ letter }) => letter);
    const discarding: Spec = { ...spec, act: 'discard' };
    const again = await actOnItem(reader, discarding, 0, first);
    await restore(reader, name, first, BEN);
    expect(await actOnItem(reader, discarding, 0, first)).toMatchObject({
      result: 'done',
      detail: { jobId: again.detail.jobId },
    });
    expect((await getLetter(reader, name, first))?.state).toBe('open');

    const replayed = await actOnItem(reader, spec, 1, second);
    expect(await actOnItem(reader, spec, 1, second)).toEqual(replayed);
    // The rules would refuse it by now.
    const key = reader.queue(name, `${name}.dead`).toKey(second);
    const letter = JSON.parse((await reader.client.hget(key, 'data')) ?? '{}') as Record<string, unknown>;
    await reader.client.hset(key, 'data', JSON.stringify({ ...letter, verdict: 'in-doubt' }));
    expect(await actOnItem(reader, spec, 1, second)).toMatchObject(replayed);
    expect(await reader.queue(name).getJobCountByTypes('wait', 'prioritized')).toBe(1);
    const acts = (await Array.fromAsync(audit(reader, name))).map(({ act }) => act);
    expect(acts).toEqual(['replay', 'restore', 'discard', 'operation-created']);
  });

  test('keeps to its rate, also when one runner goes on after another', async () => {
    const world = await createWorld();
    await fillLetters(world.reader, world.name, 10);
    const operation = await create(world, { act: 'discard', rate: 20 });
    for (let done = 0; done < 10;) {
      const runner = startRunner(world);
      const before = done;
      done = (await until(world, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(before))).counts.done;
      await runner.close();
    }
    const { items } = await operationItems(world.reader, world.name, operation.id);
    // Nine pauses of 50 ms; a tenth of a second may be caught up with.
    expect((items.at(-1)?.at ?? 0) - operation.createdAt).toBeGreaterThanOrEqual(9 * 50 - 100);
  });

  test('with an item that fails tries it again, says why, and goes on', async () => {
    const world = await createWorld();
    const ids = await fillLetters(world.reader, world.name, 2);
    const operation = await create(world, { act: 'discard', target: { ids } });
    await breakRow(world);
    const { errors } = startRunner(world);
    const done = await untilDone(world, operation);
    expect(done.counts).toMatchObject({ done: 0, failed: 2 });
    const { items } = await operationItems(world.reader, world.name, operation.id, { result: 'failed' });
    expect(items[0]?.message).toMatch(/WRONGTYPE.*tried 3 times/);
    expect(errors.length).toBeGreaterThan(0);
  });

  test('pauses itself where Redis refuses one item after the other, and goes on when somebody has mended that', async () => {
    const world = await createWorld();
    const ids = await fillLetters(world.reader, world.name, 6);
    const operation = await create(world, { act: 'discard', target: { ids } });
    const mend = await breakRow(world);
    startRunner(world);
    const paused = await until(world, operation, ({ state }) => expect(state).toBe('paused'));
    expect(paused).toMatchObject({
      counts: { done: 0, failed: 3 },
      pausedBecause: expect.stringMatching(/^Redis refused 3 items in a row: WRONGTYPE/) as string,
    });
    await mend();
    await resumeOperation(world.reader, world.name, operation.id, BEN);
    expect((await untilDone(world, operation)).counts).toMatchObject({ done: 3, failed: 3 });
  });
});

describe('a replay that fails again', () => {
  const canary = { steps: 'canary', stopShare: 0.2 } as const;

  test('stops after the first canary step, and says how many died of what', async () => {
    const world = await createWorld();
    await world.startWorker();
    await died(world, [DEAD_AGAIN, OK_AGAIN, OK_AGAIN]);
    startRunner(world);
    const operation = await create(world, canary);
    const paused = await until(world, operation, ({ state }) => expect(state).toBe('paused'));
    expect(paused).toMatchObject({
      counts: { done: 1 },
      after: { dead: 1 },
      step: { n: 1, of: 2, until: 1 },
      pausedBecause: expect.stringMatching(/^1 of 1 replayed write is dead again, with [A-Z_]+$/) as string,
    });
    // Somebody looked, and says that it may go on: the share is that of what is replayed since.
    await resumeOperation(world.reader, world.name, operation.id, BEN);
    expect(await untilDone(world, operation)).toMatchObject({ counts: { done: 3 }, step: { n: 2, until: 3 } });
    const acts = (await Array.fromAsync(audit(world.reader, world.name))).filter((act) => isOperationAct(act));
    expect(acts.map(({ act, by }) => `${act} ${by}`)).toEqual([
      'operation-done ann',
      'operation-resumed ben',
      'operation-paused waybill',
      'operation-created ann',
    ]);
  });

  test('goes through all canary steps while the writes are delivered', async () => {
    const world = await createWorld();
    await world.startWorker();
    await died(
      world,
      Array.from({ length: 11 }, () => OK_AGAIN),
    );
    const seen = new Set<string>();
    startRunner(world);
    const operation = await create(world, canary);
    await until(world, operation, ({ step, state }) => {
      seen.add(`${step?.n} of ${step?.of}`);
      expect(state).toBe('done');
    });
    expect([...seen].at(-1)).toBe('3 of 3');
    await until(world, operation, ({ after }) => expect(after).toEqual({ delivered: 11, dead: 0, underway: 0 }));
  });

  test('whose writes do not end in time pauses, and goes on when it is resumed', async () => {
    const world = await createWorld();
    const worker = await world.startWorker();
    await died(world, [OK_AGAIN, OK_AGAIN]);
    await worker.stop();
    startRunner(world, { stepWaitMs: 100 });
    const operation = await create(world, canary);
    const paused = await until(world, operation, ({ state }) => expect(state).toBe('paused'));
    expect(paused.pausedBecause).toContain('1 of the 1 writes of step 1 of 2 had not ended');
    await resumeOperation(world.reader, world.name, operation.id, BEN);
    expect((await untilDone(world, operation)).after.underway).toBe(2);
    await world.startWorker();
    await until(world, operation, ({ after }) => expect(after.delivered).toBe(2));
  });

  test('without steps stops once five have ended and too many are dead', async () => {
    const world = await createWorld();
    await world.startWorker();
    await died(world, [OK_AGAIN, OK_AGAIN, ...Array.from({ length: 20 }, () => DEAD_AGAIN)]);
    startRunner(world);
    const operation = await create(world, { rate: 20, stopShare: 0.5 });
    const paused = await until(world, operation, ({ state }) => expect(state).toBe('paused'));
    expect(paused.counts.done).toBeLessThan(22);
    expect(paused.pausedBecause).toMatch(/^\d+ of \d+ replayed writes are dead again, with/);
    const { since } = { since: paused.counts.done };
    await resumeOperation(world.reader, world.name, operation.id, BEN);
    const again = await until(world, operation, ({ counts }) => expect(counts.done).toBeGreaterThan(since));
    expect(again.pausedBecause).toBeUndefined();
  });
});

test('operations that have ended are trimmed by age and number, the others never', async () => {
  const world = await createWorld();
  const ids = await fillLetters(world.reader, world.name, 4);
  const runner = startRunner(world);
  const made: Operation[] = [];
  for (const id of ids.slice(0, 3)) {
    const operation = await create(world, { act: 'discard', target: { ids: [id] } });
    made.push(await untilDone(world, operation));
  }
  await runner.close();
  const { reader, name } = world;
  const open = await create(world, { act: 'discard', target: { ids: ids.slice(3) } });
  expect((await listOperations(reader, name, 2)).map(({ id }) => id)).toEqual([open.id, made[2]?.id]);
  await pauseOperation(reader, name, open.id, BEN);
  expect(await trimOperations(reader, name, { keepMs: 60_000, keep: 2, keepItems: 100 })).toBe(1);
  expect((await listOperations(reader, name)).map(({ id }) => id)).toEqual([open.id, made[2]?.id, made[1]?.id]);
  expect(await trimOperations(reader, name, { keepMs: 60_000, keep: 2, keepItems: 1 })).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await trimOperations(reader, name, { keepMs: 0, keep: 2, keepItems: 1 })).toBe(1);
  expect((await listOperations(reader, name)).map(({ id }) => id)).toEqual([open.id]);
  expect(Object.keys(await marksOfOperations(reader, name))).toEqual([open.id]);
  await expect(getOperation(reader, name, made[2]?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

const liveKey = ({ name }: World): string => `{waybill:${name}}:${name}.operations:live`;

const isHeld = async (world: World, { id }: Operation): Promise<boolean> =>
  (await world.reader.client.exists(`{waybill:${world.name}}:${world.name}.operations:${id}:lease`)) === 1;

/** Puts something else where an act looks first: Redis refuses it, and answers all the same. @returns a way to mend it */
async function breakRow({ reader: { client }, name }: World): Promise<() => Promise<void>> {
  const row = `{waybill:${name}}:${name}.rows:time`;
  await client.rename(row, `${row}.away`);
  await client.set(row, 'x');
  return async () => void (await client.rename(`${row}.away`, row));
}

/** One more letter, dead after the plan. */
async function fillLate(world: World): Promise<void> {
  const { client } = world.reader;
  const at = (await world.reader.now()) + 10;
  const dead = `{waybill:${world.name}}:${world.name}.dead`;
  const first = (await client.zrange(`{waybill:${world.name}}:${world.name}.rows:time`, '0', '0'))[0] ?? '';
  const data = JSON.parse((await client.hget(`${dead}:${first}`, 'data')) ?? '{}') as Record<string, unknown>;
  await client.hset(`${dead}:late.g0`, 'data', JSON.stringify({ ...data, id: 'late.g0', jobId: 'late', deadAt: at }));
  await client.zadd(`{waybill:${world.name}}:${world.name}.rows:time`, at, 'late.g0');
  await client.zadd(`${dead}:prioritized`, at, 'late.g0');
}
