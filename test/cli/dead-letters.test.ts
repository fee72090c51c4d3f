// dead-letters list, export, show and audit, on letters that a real worker left.
import { expect, test } from 'vitest';
import type { Found } from '../../queue/find.ts';
import { discard, replay } from '../../queue/operate.ts';
import type { AddOptions } from '../../producer/index.ts';
import { select } from '../../cli/letter-selection.ts';
import { createWorld, planned, type World } from '../support/world.ts';
import { documents, runCli } from './run-cli.ts';

const ANN = { by: 'ann', reason: 'the template is mended' };

interface Dead {
  key: string;
  letter: string;
  jobId: string;
  requestId: string;
  found: Found;
}

async function died(world: World, plan: string[], options: AddOptions = {}): Promise<Dead> {
  const { data } = await world.queue.add('send', planned(...plan), options);
  const key = data.idempotencyKey;
  const found = await world.until(key, 'dead');
  return { key, letter: found.letter?.id ?? '', jobId: found.jobId, requestId: found.requestIds[0] ?? '', found };
}

test('one filter says which letters are meant, in the list as in the export', async () => {
  const world = await createWorld();
  await world.startWorker();
  const bad = await died(world, ['400']);
  const revoked = await died(world, ['401']);
  const gone = await died(world, ['404']);
  const doubtful = await died(world, ['reset-after'], { maxAttempts: 1 });
  const of = ['--destination', world.name];
  const between = new Date(gone.found.letter?.deadAt ?? 0).toISOString();
  const cases: [string[], Dead[]][] = [
    [['--code', 'NOT_FOUND'], [gone]],
    [['--field', 'sandbox.plan', '--status', '400'], [bad]],
    [
      ['--verdict', 'not-applied', '--dead-reason', 'rejected'],
      [bad, revoked, gone],
    ],
    [['--verdict', 'in-doubt', '--dead-reason', 'exhausted'], [doubtful]],
    [['--older-than', '1h'], []],
    [
      ['--newer-than', '1h', '--before', between],
      [bad, revoked],
    ],
    [
      ['--since', between],
      [gone, doubtful],
    ],
    [
      [revoked.letter, doubtful.key, bad.jobId],
      [revoked, doubtful, bad],
    ],
    [[revoked.letter, bad.letter, '--status', '401'], [revoked]],
    [['--state', 'discarded'], []],
  ];
  const idsOf = async (args: string[]): Promise<unknown[]> => {
    const { stdout } = await runCli(['dead-letters', ...args, ...of, '-o', 'ndjson']);
    return documents(stdout).map(({ id }) => id);
  };
  // One command each, in turn: both read the same flags.
  const asked = cases.map(async ([flags, meant], i) => {
    const [ids, command] = [meant.map(({ letter }) => letter), i % 2 === 0 ? 'list' : 'export'];
    const newestFirst = command === 'list' && flags[0]?.startsWith('--');
    expect({ flags, ids: await idsOf([command, ...flags]) }).toEqual({
      flags,
      ids: newestFirst ? ids.toReversed() : ids,
    });
  });
  await Promise.all(asked);
  expect((await runCli(['dead-letters', 'list', '--code', 'X', ...of])).stderr).toBe(
    'none matches, of 4 dead letters\n',
  );
  const cut = await runCli(['dead-letters', 'list', '--verdict', 'not-applied', '--limit', '2', ...of]);
  expect(cut.stderr).toBe('the newest 2 that match; more match: --limit shows more, export all\n');
  const unknown = await runCli(['dead-letters', 'list', bad.letter, 'nothing', ...of]);
  expect(unknown).toMatchObject({ code: 1, stderr: 'waybill: NOT_FOUND: no such dead letter: "nothing"\n' });
  expect(unknown.stdout).toContain(bad.letter);
  const unmeant = await runCli(['dead-letters', 'list', bad.letter, '--code', 'X', ...of]);
  expect(unmeant).toMatchObject({
    code: 1,
    stderr: `waybill: NO_MATCH: there is a dead letter "${bad.letter}", but it does not match the flags\n`,
  });
  const some = await runCli(['dead-letters', 'list', bad.key, gone.key, '--limit', '1', '-o', 'ndjson', ...of]);
  expect(documents(some.stdout)).toMatchObject([{ id: bad.letter }]);
  expect(some).toMatchObject({ code: 0, stderr: 'the first 1 of those that were named; --limit shows more\n' });
});

test('a filter that makes no sense is told what is allowed', async () => {
  const cases: [string[], RegExp][] = [
    [['--status', '99'], /--status <n>' argument '99' is invalid\. It must be a whole number from 100 to 599\./],
    [['--verdict', 'maybe'], /Allowed choices are applied-once, not-applied, in-doubt\./],
    [
      ['--older-than', '1h', '--before', '2026-01-01T00:00:00Z'],
      /'--older-than <span>' cannot be used with option '--bef/,
    ],
    [['--code', 'A', '--without-code'], /'--without-code' cannot be used with option '--code <code>'/],
    [['--older-than', '2h', '--newer-than', '1h'], /no time lies between the two bounds of age/],
    [['--reason', 'rejected'], /Why a write died is asked for with --dead-reason\./],
  ];
  const ends = cases.map(async ([flags, said]) => {
    const { code, stdout, stderr } = await runCli(['dead-letters', 'list', ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^waybill: USAGE: /);
    expect(stderr).toMatch(said);
  });
  await Promise.all(ends);
});

test('a list that stops looking has looked at the newest', async () => {
  const world = await createWorld();
  await world.startWorker();
  await died(world, ['404']);
  for (const step of ['400', '400']) await died(world, [step]);
  const sought = {
    ids: [],
    destination: world.name,
    first: 'newest',
    filter: { text: 'nowhere' },
    lookAtMost: 2,
  } as const;
  const selected = await select(world.reader, sought);
  expect(await Array.fromAsync(selected.letters)).toEqual([]);
  expect(selected).toMatchObject({ looked: 2, total: 3 });
});

test('letters of several destinations come in one order, and an id that names two of them is asked back', async () => {
  const worlds = [await createWorld(), await createWorld()];
  const dead: Dead[] = [];
  for (const world of worlds) await world.startWorker();
  for (const step of ['400', '401', '404', '422']) {
    const world = worlds[dead.length % 2];
    if (world) dead.push(await died(world, [step]));
  }
  const ids = dead.map(({ letter }) => letter);
  const listed = documents((await runCli(['dead-letters', 'list', '-o', 'ndjson', '--limit', '10000'])).stdout);
  expect(listed.map(({ id }) => id).filter((id) => ids.includes(String(id)))).toEqual(ids.toReversed());

  const key = `both-${ids[0]}`;
  for (const world of worlds) {
    await world.queue.add('send', { ...planned('400'), idempotencyKey: key });
    await world.until(key, 'dead');
  }
  const { code, stdout } = await runCli(['dead-letters', 'discard', key, '--dry-run', '-o', 'ndjson']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/: say which with --destination"/);
  expect(documents(stdout)).toMatchObject([{ letter: key, status: 'refused', error: { code: 'AMBIGUOUS' } }]);
  for (const { name } of worlds) expect(stdout).toContain(name);
});

test('show tells all of a letter, by its id, its job, its key and its request_id, and what a replay would be told', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { key, letter, jobId, requestId } = await died(world, ['400', 'ok']);
  const shown = await Promise.all([letter, jobId, key, requestId].map((id) => runCli(['dead-letters', 'show', id])));
  for (const { code, stdout } of shown) {
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^dead letter +${letter}$`, 'm'));
    expect(stdout).toMatch(/^reason +rejected$/m);
    expect(stdout).toMatch(/^field +sandbox\.plan$/m);
    expect(stdout).toMatch(/^verdict +not-applied: the API did not apply it$/m);
    expect(stdout).toMatch(/^evidence +attempt 1: 400 VALIDATION_ERROR; the API says so after looking the key up/m);
    expect(stdout).toMatch(/^key's life +the API keeps the key until \S+Z \(in 23 h\)$/m);
    expect(stdout).toMatch(/^ {2}1 +\S+Z +400 VALIDATION_ERROR +\d+ ms +req_\S+ +dead$/m);
    expect(stdout).toMatch(/^ {2}POST \/v1\/subscriptions\/opt-in$/m);
    expect(stdout).toMatch(/^ {4}"phone_number": "\+4512345678",$/m);
    expect(stdout).toMatch(/^ {2}replay +allowed: .*; but the API may give this key its stored rejection again/m);
    expect(stdout).toMatch(/^ {2}replay --new-key +allowed: it was not applied/m);
  }
  const json = JSON.parse((await runCli(['dead-letters', 'show', letter, '-o', 'json'])).stdout) as unknown;
  expect(json).toMatchObject([
    {
      id: letter,
      state: 'open',
      write: { body: expect.any(String) },
      replay: { sameKey: { allowed: true, doubleAccepted: false }, newKey: { allowed: true } },
    },
  ]);

  await replay(world.reader, world.name, letter, ANN);
  const again = await world.until(key, 'dead');
  const replayed = (await runCli(['dead-letters', 'show', letter])).stdout;
  expect(replayed).toMatch(/^state +replayed$/m);
  expect(replayed).toMatch(/^ {2}replayed by ann at \S+Z: the template is mended$/m);
  expect(replayed).toContain(`it went out again as its next generation: waybill find ${jobId}`);
  // The API has answered with what it stored: now it is known that the key leads nowhere.
  expect((await runCli(['dead-letters', 'show', again.letter?.id ?? ''])).stdout).toMatch(
    /^ {2}replay +allowed: .*; but the API answers this key with its stored rejection: .* a new key is needed$/m,
  );

  const delivered = (await world.queue.add('send', planned('ok'))).data.idempotencyKey;
  await world.until(delivered, 'delivered');
  const none = await runCli(['dead-letters', 'show', delivered]);
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toMatch(/^waybill: NOT_FOUND: no dead letter for "\S+": its write is delivered, and has no dead/);
});

test('audit tells who did what and why, the newest first, and a list of the handled ones tells it too', async () => {
  const world = await createWorld();
  await world.startWorker();
  const first = await died(world, ['401', 'ok']);
  const second = await died(world, ['404']);
  const of = ['--destination', world.name];
  expect(await runCli(['dead-letters', 'audit', ...of])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: 'nothing was done to a dead letter\n',
  });
  await replay(world.reader, world.name, first.letter, ANN);
  await discard(world.reader, world.name, second.letter, { by: 'ben', reason: 'not wanted \u001b[31many more' });
  const entries = documents((await runCli(['dead-letters', 'audit', ...of, '-o', 'ndjson'])).stdout);
  expect(entries).toMatchObject([
    { destination: world.name, act: 'discard', by: 'ben', letter: second.letter },
    { destination: world.name, act: 'replay', by: 'ann', letter: first.letter, generation: 1 },
  ]);
  const table = await runCli(['dead-letters', 'audit', ...of, '--limit', '1']);
  expect(table.stdout).toMatch(/^\S+Z +\S+ +discard +ben +\S+\.g0 +not-applied +not wanted +\[31many more$/m);
  expect(table.stderr).toBe('the newest 1; --limit shows more\n');
  const listed = await runCli(['dead-letters', 'list', '--state', 'discarded', ...of]);
  expect(listed.stdout).toMatch(/discarded by ben at \S+Z: not wanted +\[31many more$/m);
});
