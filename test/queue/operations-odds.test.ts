// What is rare about bulk operations: letters that come in between, clocks that are set back, keys of another type, slow
// reads, and searches in very many letters.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Act } from '../../queue/acts.ts';
import { audit, isOperationAct } from '../../queue/acts.ts';
import { getLetter } from '../../queue/dead-letters.ts';
import { discard, restore } from '../../queue/operate.ts';
import { resumeOperation } from '../../queue/operations/control.ts';
import { createOperation } from '../../queue/operations/create.ts';
import { indexKeys, operationKeys } from '../../queue/operations/keys.ts';
import type { CreateRequest, Operation } from '../../queue/operations/operation.ts';
import { planOperation } from '../../queue/operations/plan.ts';
import { getOperation, listOperations } from '../../queue/operations/read.ts';
import { type RunnerOptions, runOperations } from '../../queue/operations/run.ts';
import { trimOperations } from '../../queue/operations/trim.ts';
import type { Reader } from '../../queue/reader.ts';
import { whatIfOf } from '../../queue/what-if.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { createWorld, eventually, type World } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'a test' };

function startRunner({ reader, name }: World, more: Partial<RunnerOptions> = {}): Error[] {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const runner = runOperations({ reader, only: [name], intervalMs: 20, leaseMs: 5000, onError, ...more });
  onTestFinished(() => runner.close());
  return errors;
}

const create = async ({ reader, name }: World, request: Partial<CreateRequest> = {}): Promise<Operation> =>
  createOperation(reader, {
    act: 'discard',
    destination: name,
    target: { filter: {} },
    frozenAt: await reader.now(),
    rate: 1000,
    ...ANN,
    ...request,
  });

const untilIs = ({ reader, name }: World, { id }: Operation, state: Operation['state']) =>
  eventually(async () => {
    const operation = await getOperation(reader, name, id);
    expect(operation.state).toBe(state);
    return operation;
  }, 20_000);

test('an operation that means more letters by the time it begins than somebody agreed to pauses, and says so', async () => {
  const world = await createWorld();
  const { reader, name } = world;
  const [first = ''] = await fillLetters(reader, name, 3);
  await discard(reader, name, first, ANN);
  const operation = await create(world);
  expect(operation.total).toBe(2);
  await restore(reader, name, first, ANN);
  startRunner(world);
  expect(await untilIs(world, operation, 'paused')).toMatchObject({
    total: 3,
    counts: { done: 0 },
    pausedBecause: expect.stringMatching(/^3 letters are meant by now, and 2 were when it was created/) as string,
  });
  await resumeOperation(reader, name, operation.id, ANN);
  expect(await untilIs(world, operation, 'done')).toMatchObject({ counts: { done: 3 } });
  const acts = (await Array.fromAsync(audit(reader, name))).filter((act) => isOperationAct(act));
  expect(acts.map(({ act, by }) => `${act} ${by}`)).toEqual([
    'operation-done ann',
    'operation-resumed ann',
    'operation-paused waybill',
    'operation-created ann',
  ]);
});

test('an operation goes on at its rate when the clock was set back', async () => {
  const world = await createWorld();
  const ids = await fillLetters(world.reader, world.name, 3);
  const operation = await create(world, { target: { ids } });
  const { operation: key } = operationKeys(world.name, operation.id);
  await world.reader.client.hset(key, 'nextAt', (await world.reader.now()) + 3_600_000);
  startRunner(world);
  expect(await untilIs(world, operation, 'done')).toMatchObject({ counts: { done: 3 } });
});

test('a key of another type keeps no other operation from being trimmed, nor from being begun', async () => {
  const world = await createWorld();
  const other = await createWorld();
  const { reader, name } = world;
  const ids = await fillLetters(reader, name, 2);
  const operation = await create(world, { target: { ids: ids.slice(0, 1) } });
  const index = indexKeys(name);
  await reader.client.zadd(index.byTime, 1, 'odd');
  await reader.client.set(operationKeys(name, 'odd').operation, 'x');
  await reader.client.set(indexKeys(other.name).live, 'x');
  const errors = startRunner(world, { only: [other.name, name] });
  await untilIs(world, operation, 'done');
  expect(errors[0]?.message).toContain('WRONGTYPE');
  await eventually(async () => expect(await reader.client.exists(operationKeys(name, 'odd').operation)).toBe(0));
  await reader.client.hset(index.marks, 'odd', 1);
  await reader.client.rename(index.marks, `${index.marks}.away`);
  await reader.client.set(index.marks, 'x');
  await expect(trimOperations(reader, name, { keepMs: 0, keep: 0, keepItems: 0 })).rejects.toThrow('WRONGTYPE');
  await reader.client.rename(`${index.marks}.away`, index.marks);
  await trimOperations(reader, name, { keepMs: 0, keep: 0, keepItems: 0 });
  expect(await listOperations(reader, name)).toEqual([]);
});

test('a runner whose read takes longer than its lease keeps the operation', async () => {
  const world = await createWorld();
  await fillLetters(world.reader, world.name, 5);
  const operation = await create(world);
  slowDown(world.reader, 400);
  startRunner(world, { leaseMs: 150 });
  startRunner(world, { leaseMs: 150 });
  expect(await untilIs(world, operation, 'done')).toMatchObject({ counts: { done: 5 } });
});

test('who asks again under the same id is answered with the operation of the first time', async () => {
  const world = await createWorld();
  const ids = await fillLetters(world.reader, world.name, 2);
  const id = '0a4f2d7e-1111-4222-8333-444455556666';
  const first = await create(world, { id, target: { ids } });
  startRunner(world);
  await untilIs(world, first, 'done');
  expect(await create(world, { id })).toMatchObject({ id, state: 'done', total: 2 });
  await expect(create(world, { id, by: 'ben' })).rejects.toMatchObject({ code: 'OPERATION_REFUSED', field: 'EXISTS' });
  await expect(create(world, { id: 'mine' })).rejects.toMatchObject({ code: 'INVALID_WRITE', field: 'id' });
  expect(await listOperations(world.reader, world.name)).toHaveLength(1);
});

test('a letter keeps the last hundred of its acts, and an act that is repeated is still known', async () => {
  const world = await createWorld();
  const { reader, name } = world;
  const [letter = ''] = await fillLetters(reader, name, 1);
  let last: Act | undefined;
  for (let i = 0; i < 52; i++) {
    await discard(reader, name, letter, { ...ANN, actId: `discard-${i}` });
    last = await restore(reader, name, letter, { ...ANN, actId: `restore-${i}` });
  }
  const acts = (await getLetter(reader, name, letter))?.acts ?? [];
  expect(acts).toHaveLength(100);
  expect([acts[0]?.id, acts.at(-1)?.id]).toEqual(['discard-2', 'restore-51']);
  expect(await discard(reader, name, letter, { ...ANN, actId: 'discard-51' })).toMatchObject({ id: 'discard-51' });
  expect(await restore(reader, name, letter, { ...ANN, actId: 'restore-51' })).toEqual(last);
  expect(await Array.fromAsync(audit(reader, name))).toHaveLength(104);
});

describe('among more letters than one search looks into', () => {
  test('a rare text is planned with words, begins nothing, and ends with whoever asked', async () => {
    const world = await createWorld();
    const { reader, name } = world;
    await fillLetters(reader, name, 20_100);
    const filter = { text: 'nowhere to be found' };
    const request = { act: 'discard' as const, destination: name, target: { filter } };
    expect(await planOperation(reader, request)).toMatchObject({ count: 0, atLeast: true, examined: 0 });
    const refused = { code: 'OPERATION_REFUSED', field: 'TOO_MANY' };
    await expect(create(world, request)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('20000 letters are looked into at most') as string,
    });
    const gone = AbortSignal.abort(new Error('nobody waits'));
    await expect(planOperation(reader, request, gone)).rejects.toThrow('nobody waits');
    const creating = { ...request, ...ANN, frozenAt: await reader.now() };
    await expect(createOperation(reader, creating, gone)).rejects.toThrow('nobody waits');

    const asked = { destination: name, filter, policy: { maxAttempts: 9 } };
    expect(await whatIfOf(reader, undefined, asked)).toMatchObject({ examined: 0, more: true });
    await expect(whatIfOf(reader, undefined, { ...asked, signal: gone })).rejects.toThrow('nobody waits');
  }, 60_000);
});

/** From now on it takes so long to read several letters. */
function slowDown(reader: Reader, ms: number): void {
  const client = new Proxy(reader.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'pipeline') return typeof value === 'function' ? value.bind(target) : value;
      return () => {
        const pipeline = target.pipeline();
        const exec = pipeline.exec.bind(pipeline);
        const hmget = pipeline.hmget.bind(pipeline) as (...given: unknown[]) => typeof pipeline;
        let letters = 0;
        pipeline.hmget = (...given: unknown[]) => {
          letters += 1;
          return hmget(...given);
        };
        pipeline.exec = async (...given) => {
          if (letters > 1) await new Promise((resolve) => setTimeout(resolve, ms));
          return exec(...given);
        };
        return pipeline;
      };
    },
  });
  Object.defineProperty(reader, 'client', { value: client });
}
