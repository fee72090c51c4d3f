// What the lookup rows are for on the command line: the flags of a filter that they answer, and putting them right.
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { replay } from '../../queue/operate.ts';
import { rowKeys } from '../../queue/keys.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned, type World } from '../support/world.ts';
import { WHY } from './graveyard.ts';
import { documents, runCli } from './run-cli.ts';

async function died(world: World, plan: string[], body = {}): Promise<string> {
  const write = planned(...plan);
  const { data } = await world.queue.add('send', { ...write, body: { ...(write.body as object), ...body } });
  return (await world.until(data.idempotencyKey, 'dead')).letter?.id ?? '';
}

test('letters are meant by the attempts they spent, by having been replayed before, and by a part of their text', async () => {
  const world = await createWorld({ destination: { retry: { baseMs: 1 } } });
  await world.startWorker();
  const once = await died(world, ['404'], { note: 'Räksmörgås' });
  const twice = await died(world, ['503', '401']);
  const first = await died(world, ['401', '404']);
  await replay(world.reader, world.name, first, { by: 'ann', reason: 'try again' });
  const second = (await world.until(first.replace('.g0', '.g1'), 'dead')).letter?.id ?? '';
  expect(second).toMatch(/\.g1$/);
  const cases: [string[], string[]][] = [
    [['--attempts', '2', '--text', 'OPT-IN'], [twice]],
    [['--attempts', '1', '--no-replayed-before', '--text', 'RÄKSMÖR'], [once]],
    [['--text', 'opt-in', '--state', 'replayed'], [first]],
    [['--without-field', '--status', '404', '--attempts', '1', '--no-replayed-before'], [once]],
  ];
  const of = ['--destination', world.name, '-o', 'ndjson'];
  for (const [flags, meant] of cases) {
    const { stdout } = await runCli(['dead-letters', 'list', ...flags, ...of]);
    expect({ flags, ids: documents(stdout).map(({ id }) => id) }).toEqual({ flags, ids: meant });
  }
  const discarded = await runCli(['dead-letters', 'discard', '--replayed-before', ...WHY, '--yes', ...of]);
  expect(documents(discarded.stdout)).toMatchObject([{ letter: second, status: 'discarded' }]);
  const wrong = await runCli(['dead-letters', 'list', '--attempts', 'many']);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain("'--attempts <n>' argument 'many' is invalid. It must be a whole number from 0 to");
});

test('reindex puts rows right that somebody has changed by hand, and then has nothing to do', async () => {
  const world = await createWorld();
  await world.startWorker();
  const letter = await died(world, ['404']);
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const { byTime, classes, byRequestId } = rowKeys(world.name);
  await redis.del(byTime, classes, byRequestId);
  await redis.zadd(byTime, 1, 'nobody.g0');
  const of = ['--destination', world.name];
  const mended = await runCli(['dead-letters', 'reindex', ...of, '-o', 'ndjson']);
  expect(documents(mended.stdout)).toEqual([{ destination: world.name, letters: 1, removed: 1, added: 3 }]);
  const again = await runCli(['dead-letters', 'reindex', ...of]);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toMatch(
    new RegExp(`^destination +open letters +rows removed +rows added\n${world.name} +1 +0 +0\n$`),
  );
  const listed = await runCli(['dead-letters', 'list', '--code', 'NOT_FOUND', ...of, '-o', 'ndjson']);
  expect(documents(listed.stdout)).toMatchObject([{ id: letter }]);
  expect(await runCli(['dead-letters', 'reindex', '--destination', 'none'])).toMatchObject({ code: 1 });
});
