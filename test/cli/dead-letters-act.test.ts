// dead-letters replay, discard and restore, as an operator and a script give them.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { carryOut } from '../../cli/carry-out.ts';
import { deadLettersDiscard, deadLettersReplay } from '../../cli/dead-letters-act.ts';
import type { Io } from '../../cli/io.ts';
import { DISCARDING } from '../../cli/letter-acts.ts';
import { planFor } from '../../cli/letter-plan.ts';
import { operatorName } from '../../cli/operator.ts';
import { assertAppliedOnce } from '../../dev/testing.ts';
import type { Act } from '../../queue/acts.ts';
import { countLetters } from '../../queue/dead-letters.ts';
import { replay } from '../../queue/operate.ts';
import { redisUrl } from '../support/redis.ts';
import { eventually, planned } from '../support/world.ts';
import { act, actsOf, graveyard, WHY } from './graveyard.ts';
import { documents, type Ended, runCli, startCli } from './run-cli.ts';

test('a replay sends again what matches, tells of each and counts; who and why stand in the audit', async () => {
  const { world, keys, letters } = await graveyard(['401', 'ok'], ['503', 'ok'], ['404']);
  const dry = await act('replay', world, '--verdict', 'not-applied', '--status', '401', '--dry-run', '-o', 'ndjson');
  expect(dry).toMatchObject({ code: 0, stderr: '1 dead letter would be replayed under its own key\n' });
  expect(documents(dry.stdout)).toEqual([{ letter: letters[0], destination: world.name, status: 'would-replay' }]);
  expect(await actsOf(world)).toEqual([]);
  expect((await countLetters(world.reader, world.name)).count).toBe(3);

  const done = await act(
    'replay',
    world,
    '--dead-reason',
    'rejected',
    '--status',
    '401',
    '--yes',
    ...WHY,
    '-o',
    'json',
  );
  const named = await act('replay', world, letters[1] ?? '', '--yes', ...WHY);
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject([
    { letter: letters[0], status: 'replayed', idempotencyKey: keys[0], generation: 1 },
  ]);
  expect(done.stderr.split('\n').slice(-3)).toEqual(['by ann, because: the API is well again', 'replayed 1', '']);
  expect(named.stdout).toBe(`${letters[1]}  replayed       ${world.name}  generation 1\n`);
  await world.startWorker();
  for (const key of keys.slice(0, 2)) {
    expect(await world.until(key, 'delivered')).toMatchObject({ lineage: [{ state: 'replayed' }] });
    await assertAppliedOnce(world.sandbox, key);
  }
  expect(await actsOf(world)).toMatchObject([
    { act: 'replay', by: 'ann', reason: 'the API is well again', letter: letters[1] },
    { act: 'replay', by: 'ann', letter: letters[0] },
  ]);
});

test('nothing is done without a selection, a reason, or an answer', async () => {
  const { world, letters } = await graveyard(['401']);
  const [letter = ''] = letters;
  const cases: [Promise<Ended>, RegExp][] = [
    [runCli(['dead-letters', 'replay', '--yes', ...WHY]), /which dead letters\? .* --all is every one/],
    [act('replay', world, '--yes'), /--reason TEXT is needed: why you replay them/],
    [act('discard', world, '--yes', '--reason', 'rejected'), /asked for with --dead-reason rejected/],
    [act('discard', world, '--yes', '--reason', ' '), /--reason: must be a text of 1 to 1000 characters/],
    [act('discard', world, '--yes', '--reason', 'x', '--by', 'x'.repeat(201)), /--by: must be a text of 1 to 200/],
    [act('replay', world, ...WHY), /Replay 1 dead letter under its own key\? .* pass --yes/],
    [act('discard', world, letter, ...WHY), /Discard 1 dead letter\? There is no terminal to ask on: pass --yes/],
    [act('replay', world, '--yes', ...WHY, '--rate', '0'), /It must be a number above 0/],
  ];
  for (const [asked, said] of cases) {
    const { code, stdout, stderr } = await asked;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(said);
  }
  expect(await act('discard', world, '--code', 'X', '--yes', ...WHY, '-o', 'json')).toEqual({
    code: 0,
    stdout: '[]\n',
    stderr: 'no open dead letter matches\n',
  });
  expect(await actsOf(world)).toEqual([]);
});

test('what the rules refuse is left, told why, and ends with 1; a double application is accepted in so many words', async () => {
  const { world, letters } = await graveyard(['reset-after'], ['400']);
  const doubtful = [letters[0] ?? '', '--new-key', '-o', 'ndjson'];
  const refused = await act('replay', world, '--new-key', '--yes', ...WHY, '-o', 'ndjson');
  expect(refused.code).toBe(1);
  expect(documents(refused.stdout)).toMatchObject([
    {
      letter: letters[0],
      status: 'refused',
      error: { code: 'REPLAY_REFUSED', message: expect.stringContaining('twice') },
    },
    { letter: letters[1], status: 'replayed', generation: 0, idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
  expect(refused.stderr).toContain('1 would not (IN_DOUBT): ');
  expect(documents(refused.stdout)[0]?.error).toMatchObject({ field: 'IN_DOUBT' });
  expect(refused.stderr).toMatch(/^replayed 1, refused 1$/m);
  // A plan with nothing to do asks nothing.
  expect(await act('replay', world, ...doubtful, ...WHY)).toMatchObject({ code: 1 });

  const dry = await act('replay', world, letters[0] ?? '', '--new-key', '--accept-double', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: expect.stringMatching(/^1 of them may be applied twice$/m) as string });
  expect(dry.stdout).toMatch(/ would-replay .* may be applied twice$/m);

  const unsaid = await act('replay', world, ...doubtful, ...WHY, '--accept-double');
  expect(unsaid).toMatchObject({ code: 2, stdout: '' });
  expect(unsaid.stderr).toMatch(/1 of the writes may be applied twice\. .* pass --yes/);
  const accepted = await act('replay', world, ...doubtful, ...WHY, '--accept-double', '--yes');
  expect(accepted.code).toBe(0);
  expect(documents(accepted.stdout)).toMatchObject([{ status: 'replayed', doubleAccepted: true }]);
});

test('a discarded letter is out of the list until it is restored', async () => {
  const { world, letters } = await graveyard(['401'], ['404']);
  const [first = '', second = ''] = letters;
  const discarded = await act('discard', world, '--status', '401', '--yes', ...WHY);
  expect(discarded).toMatchObject({ code: 0, stdout: `${first}  discarded      ${world.name}\n` });
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
  const late = await act(
    'replay',
    world,
    first,
    second,
    'nothing',
    '--yes',
    '--by',
    'ben',
    '--reason',
    'x',
    '-o',
    'ndjson',
  );
  expect(late.code).toBe(1);
  expect(documents(late.stdout)).toMatchObject([
    {
      letter: first,
      status: 'handled',
      error: { message: expect.stringMatching(/discarded by ann at .*: the API is/) },
    },
    { letter: second, status: 'replayed' },
    { letter: 'nothing', status: 'not-found', error: { code: 'NOT_FOUND' } },
  ]);
  expect(late.stderr).toMatch(/^replayed 1, handled by somebody first 1, not found 1$/m);
  const restored = await act('restore', world, '--all', '--yes', ...WHY);
  expect(restored).toMatchObject({ code: 0, stdout: `${first}  restored       ${world.name}\n` });
  const again = await act('restore', world, first, '--yes', ...WHY);
  expect(again.stdout).toMatch(/ handled .* was restored by ann at /);
  expect((await countLetters(world.reader, world.name)).count).toBe(1);
});

test('of two operators at the same letters one wins each, and the other is told who', async () => {
  const { world, letters } = await graveyard(...Array.from({ length: 12 }, () => ['401', 'ok']));
  const operators = await Promise.all(
    ['ann', 'ben'].map((by) =>
      startCli(
        ['dead-letters', 'replay', ...letters, '--yes', '--by', by, '--reason', 'x', '-o', 'ndjson', '--rate', '100'],
        {
          env: { REDIS_URL: redisUrl() },
        },
      ),
    ),
  );
  const ends = await Promise.all(operators.map(({ ended }) => ended));
  const results = ends.flatMap(({ stdout }) => documents(stdout));
  expect(results).toHaveLength(24);
  const won = results.filter(({ status }) => status === 'replayed').map(({ letter }) => letter);
  expect(won).toHaveLength(12);
  expect(new Set(won)).toEqual(new Set(letters));
  const lost = results.filter(({ status }) => status === 'handled') as { error?: { message: string } }[];
  expect(lost).toHaveLength(12);
  for (const { error } of lost) expect(error?.message).toMatch(/was (already )?replayed by (ann|ben) at /);
  const acts = (await actsOf(world)) as Act[];
  expect(acts.map(({ letter }) => letter).toSorted()).toEqual(letters.toSorted());
});

test('a dry run ends with 1 when a letter would not be acted on', async () => {
  const { world, letters } = await graveyard(['401'], ['reset-after']);
  const dry = (...flags: string[]): Promise<Ended> => act('replay', world, ...flags, '--dry-run', '-o', 'ndjson');
  expect(await dry(letters[0] ?? '')).toMatchObject({ code: 0 });
  const none = await dry('nothing');
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('1 would not (NOT_FOUND)') as string });
  const refused = await dry('--all', '--new-key');
  expect(refused.code).toBe(1);
  expect(documents(refused.stdout)).toMatchObject([
    { letter: letters[0], status: 'would-replay' },
    { letter: letters[1], status: 'refused', error: { code: 'REPLAY_REFUSED', field: 'IN_DOUBT' } },
  ]);
});

test('a dead letter id stands for that letter alone, and for no other generation of its write', async () => {
  const { world, letters } = await graveyard(['401']);
  const [letter = ''] = letters;
  const other = letter.replace(/0$/, '7');
  const dry = await act('discard', world, other, '--dry-run', '-o', 'ndjson');
  expect(dry.code).toBe(1);
  expect(documents(dry.stdout)).toMatchObject([
    { letter: other, status: 'not-found', error: { message: expect.stringContaining('of other generations') } },
  ]);
  const shown = await runCli(['dead-letters', 'show', other]);
  expect(shown).toMatchObject({ code: 1, stdout: '' });
  const byJob = await act('discard', world, letter.replace(/\.g0$/, ''), '--dry-run', '-o', 'ndjson');
  expect(documents(byJob.stdout)).toMatchObject([{ letter, status: 'would-discard' }]);
  // A key may look like one.
  const { queue } = world;
  const worker = await world.startWorker();
  await queue.add('send', { ...planned('401'), idempotencyKey: 'order-7.g1' });
  const { letter: own } = await world.until('order-7.g1', 'dead');
  await worker.stop(AbortSignal.timeout(2000));
  const byKey = await act('discard', world, 'order-7.g1', '--dry-run', '-o', 'ndjson');
  expect(documents(byKey.stdout)).toMatchObject([{ letter: own?.id, status: 'would-discard' }]);
});

/** A terminal, and what it has shown. */
function terminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = new PassThrough();
  stdout.resume();
  let shown = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const never = new AbortController().signal;
  return {
    io: {
      env: { REDIS_URL: redisUrl() },
      cwd: '/',
      stdin,
      stdout,
      stderr,
      untilStopped: () => ({ asked: never, force: never }),
      endWithReader: () => {},
      tellParent: () => {},
      self: { program: '', file: '' },
    } satisfies Io,
    type: async (when: string, keys: string) => {
      await eventually(() => expect(shown).toContain(when));
      stdin.write(keys);
    },
  };
}

test('on a terminal one key confirms, more letters than a screen shows are confirmed by their number', async () => {
  const { world, letters } = await graveyard(['401'], ['401']);
  const flags = { destination: world.name, by: 'ann', reason: 'x', limit: 1000 };
  const one = terminal();
  const no = deadLettersDiscard(one.io, flags, letters.slice(0, 1));
  const refused = expect(no).rejects.toMatchObject({ code: 'CANCELLED', message: 'nothing was done' });
  await one.type('Discard 1 dead letter?', 'n');
  await refused;
  expect(await actsOf(world)).toEqual([]);
  const two = terminal();
  const yes = deadLettersDiscard(two.io, flags, letters.slice(0, 1));
  await two.type('Discard 1 dead letter?', 'y');
  expect(await yes).toBe(0);

  const worker = await world.startWorker();
  const writes = Array.from({ length: 100 }, () => ({ name: 'send' as const, data: planned('401') }));
  await world.queue.addBulk(writes);
  await eventually(async () => expect((await countLetters(world.reader, world.name)).count).toBe(101));
  await worker.stop(AbortSignal.timeout(2000));
  const many = terminal();
  const typed = deadLettersDiscard(many.io, flags, []);
  await many.type('Type 101 to go on', '101\r');
  expect(await typed).toBe(0);
  expect((await countLetters(world.reader, world.name, { state: 'discarded' })).count).toBe(102);
});

test('on a terminal a double application is typed, whatever flags were given', async () => {
  const { world, letters } = await graveyard(['reset-after']);
  const { io, type } = terminal();
  const flags = {
    destination: world.name,
    by: 'ann',
    reason: 'x',
    limit: 10,
    yes: true,
    newKey: true,
    acceptDouble: true,
  };
  const typed = deadLettersReplay(io, flags, letters);
  await type('may be applied twice', 'applied twice\r');
  expect(await typed).toBe(0);
  expect(await actsOf(world)).toMatchObject([{ doubleAccepted: true }]);
});

test('who acts is the flag, else WAYBILL_OPERATOR, else the user of this machine', () => {
  expect(operatorName({ env: { WAYBILL_OPERATOR: 'ben' } }, 'ann')).toBe('ann');
  expect(operatorName({ env: { WAYBILL_OPERATOR: 'ben' } }, undefined)).toBe('ben');
  expect(operatorName({ env: { WAYBILL_OPERATOR: '' } }, undefined)).toMatch(/^.+@.+$/);
});

test('a letter that somebody has replayed since it was shown is told as handled by the one who did it', async () => {
  const { world, letters } = await graveyard(['401'], ['401']);
  const { io } = terminal();
  const asked = { ids: letters, destination: world.name, filter: {}, limit: 10 };
  const plan = await planFor(world.reader, DISCARDING, asked, Date.now());
  expect(plan).toMatchObject({ todo: 2, doubles: 0 });
  await replay(world.reader, world.name, letters[1] ?? '', { by: 'ben', reason: 'I was first' });
  let printed = '';
  io.stdout.on('data', (text: Buffer) => (printed += text.toString()));
  const operator = { by: 'ann', reason: 'x' };
  expect(await carryOut(io, { output: 'ndjson' }, plan, DISCARDING, operator, world.reader)).toBe(1);
  const message = expect.stringMatching(/was already replayed by ben at .*: I was first$/) as string;
  expect(documents(printed)).toMatchObject([
    { letter: letters[0], status: 'discarded' },
    { letter: letters[1], status: 'handled', error: { code: 'LETTER_HANDLED', message } },
  ]);
});
