// A replay with another path, other headers or another body, on a real Redis with real workers behind it.
import { describe, expect, test } from 'vitest';
import { audit } from '../../queue/acts.ts';
import { getLetter } from '../../queue/dead-letters.ts';
import { find } from '../../queue/find.ts';
import { replay, ruleOnReplay, type ReplayOptions } from '../../queue/operate.ts';
import { runCli } from '../cli/run-cli.ts';
import { graveyard, WHY } from '../cli/graveyard.ts';
import type { World } from '../support/world.ts';

const ANN = { by: 'ann', reason: 'the number was wrong' };
/** Digits, spaces and an escape that a parse would lose. */
const BODY = '{ "phone_number":"+4512345678", "id":12345678901234567890, "name":"\\u00c5", "sandbox":{"plan":["ok"]} }';

async function edit(world: World, letter: string, options: ReplayOptions): Promise<unknown> {
  return replay(world.reader, world.name, letter, ANN, options);
}

/** The write of a job, as it stands in Redis. */
const writeOf = async (world: World, jobId: string): Promise<unknown> =>
  (await world.reader.job(world.name, jobId))?.data;

describe('an edited replay', () => {
  test('sends the changed write under a new key, byte for byte; its dead letter keeps what it had and both are linked', async () => {
    const { world, letters, keys } = await graveyard(['404']);
    const [letter = ''] = letters;
    const before = await getLetter(world.reader, world.name, letter);
    const done = await replay(world.reader, world.name, letter, ANN, {
      edit: { body: BODY, headers: { 'X-Trace': 'b' } },
    });
    expect(done).toMatchObject({ letter, generation: 0, doubleAccepted: false });
    expect(done.idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
    expect(done.idempotencyKey).not.toBe(keys[0]);
    expect(await writeOf(world, done.jobId)).toMatchObject({
      method: before?.write?.method,
      path: before?.write?.path,
      headers: { 'x-trace': 'b' },
      body: BODY,
      idempotencyKey: done.idempotencyKey,
    });
    const after = await getLetter(world.reader, world.name, letter);
    expect(after).toMatchObject({ state: 'replayed', acts: [{ act: 'replay', edited: true }] });
    expect(after?.write).toEqual(before?.write);
    expect((await Array.fromAsync(audit(world.reader, world.name)))[0]).toMatchObject({
      act: 'replay',
      edited: true,
      newKey: { idempotencyKey: done.idempotencyKey, jobId: done.jobId },
    });
    const [old] = await find(world.reader, keys[0] ?? '', world.name);
    expect(old).toMatchObject({ state: 'replaced', replacedBy: { jobId: done.jobId } });
    await world.startWorker();
    expect(await world.until(done.idempotencyKey, 'delivered')).toMatchObject({
      origin: letter,
      verdict: 'applied-once',
    });
  });

  test('takes a key of the caller, but never the one that the write has', async () => {
    const { world, letters, keys } = await graveyard(['404']);
    const [letter = ''] = letters;
    const own = { newKey: keys[0] ?? '', edit: { body: '{}' } };
    await expect(edit(world, letter, own)).rejects.toMatchObject({ code: 'INVALID_WRITE', field: 'newKey' });
    expect(await edit(world, letter, { newKey: `${keys[0]}-b`, edit: { body: '{}' } })).toMatchObject({
      idempotencyKey: `${keys[0]}-b`,
    });
  });

  test.each<[string, NonNullable<ReplayOptions['edit']>, string]>([
    ['a body that is no JSON', { body: '{"a":' }, 'body'],
    ['a path that leaves the API', { path: '//elsewhere.example' }, 'path'],
    ['a path with dot segments', { path: '/v1/../admin' }, 'path'],
    ['a credential', { headers: { Authorization: 'Bearer x' } }, 'headers.Authorization'],
    ['an idempotency key among the headers', { headers: { 'Idempotency-Key': 'k' } }, 'headers.Idempotency-Key'],
    ['a header with a line break', { headers: { 'x-a': 'b\r\nc: d' } }, 'headers.x-a'],
  ])('is refused with %s, and nothing is changed', async (_, wrong, field) => {
    const { world, letters } = await graveyard(['404']);
    await expect(edit(world, letters[0] ?? '', { edit: wrong })).rejects.toMatchObject({
      code: 'INVALID_WRITE',
      field,
    });
    expect(await getLetter(world.reader, world.name, letters[0] ?? '')).toMatchObject({ state: 'open', acts: [] });
  });

  test('is refused while the old write may have been applied, unless a person accepts that', async () => {
    const { world, letters } = await graveyard(['reset-after']);
    const [id = ''] = letters;
    const letter = await getLetter(world.reader, world.name, id);
    if (!letter) throw new Error('it died');
    const options: ReplayOptions = { edit: { body: '{}' } };
    expect(ruleOnReplay(letter, options, Date.now())).toMatchObject({ allowed: false, refusal: 'IN_DOUBT' });
    await expect(edit(world, id, options)).rejects.toMatchObject({ code: 'REPLAY_REFUSED', field: 'IN_DOUBT' });
    expect(await edit(world, id, { ...options, acceptDouble: true })).toMatchObject({ doubleAccepted: true });
    expect(await getLetter(world.reader, world.name, id)).toMatchObject({
      acts: [{ edited: true, doubleAccepted: true }],
    });
  });

  test('is no edit where the write stays what it was', async () => {
    const { world, letters } = await graveyard(['404']);
    const letter = await getLetter(world.reader, world.name, letters[0] ?? '');
    await edit(world, letters[0] ?? '', { edit: { path: letter?.write?.path ?? '' } });
    const [act] = (await getLetter(world.reader, world.name, letters[0] ?? ''))?.acts ?? [];
    expect(act).toMatchObject({ newKey: {} });
    expect(act).not.toHaveProperty('edited');
  });
});

const run = (world: World, flags: string[], input = '') =>
  runCli(['dead-letters', 'replay', '--destination', world.name, '-o', 'ndjson', ...flags], { input });

test('an act that is tried again reports the key that went out, and makes no second one', async () => {
  const { world, letters, keys } = await graveyard(['404']);
  const again = async (options: ReplayOptions) =>
    replay(world.reader, world.name, letters[0] ?? '', { ...ANN, actId: 'op:0' }, options);
  const first = await again({ newKey: true });
  expect(first.idempotencyKey).not.toBe(keys[0]);
  expect(await again({ newKey: true })).toEqual(first);
  expect(await again({ newKey: 'another-key' })).toEqual(first);
  expect(await find(world.reader, 'another-key', world.name)).toEqual([]);
  expect(await world.reader.queue(world.name).getJobCountByTypes('wait', 'prioritized')).toBe(1);
});

describe('the command', () => {
  test('replays one letter with another body, path and headers, under a new key', async () => {
    const { world, letters, keys } = await graveyard(['404']);
    const [letter = ''] = letters;
    const flags = [letter, '--path', '/v1/other', '--header', 'x-a: b', '--body-file', '-', '--yes', ...WHY];
    const done = await run(world, flags, BODY);
    expect(done).toMatchObject({ code: 0 });
    expect(done.stderr).toContain('would be replayed, changed, under a new key');
    const answer = JSON.parse(done.stdout) as { jobId: string; idempotencyKey: string };
    expect(answer.idempotencyKey).not.toBe(keys[0]);
    expect(await writeOf(world, answer.jobId)).toMatchObject({
      path: '/v1/other',
      headers: { 'x-a': 'b' },
      body: BODY,
    });
    const shown = await runCli(['dead-letters', 'show', letter]);
    expect(shown.stdout).toMatch(/edited and replayed by ann at \S+: the API is well again/);
    const acts = await runCli(['dead-letters', 'audit', '--destination', world.name]);
    expect(acts.stdout).toContain(`(new key ${answer.idempotencyKey}, edited)`);
  });

  test('refuses a change of several letters, and one that no write may have', async () => {
    const { world, letters } = await graveyard(['404'], ['404']);
    for (const [flags, said] of [
      [['--body', '{}', ...letters], 'one write'],
      [['--body', '{}', '--status', '404'], 'one write'],
      [['--body', '{', letters[0] ?? ''], 'is not JSON'],
      [['--header', 'authorization: x', letters[0] ?? ''], 'credential'],
      [['--path', 'v1', letters[0] ?? ''], 'path: must start'],
    ] as const) {
      const ended = await run(world, [...flags, '--yes', ...WHY]);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toContain(said);
    }
  });

  test('replays what the lines of an export name, and passes over what was handled since', async () => {
    const { world, letters } = await graveyard(['404'], ['404'], ['404']);
    const exported = await runCli(['dead-letters', 'export', '--destination', world.name]);
    await replay(world.reader, world.name, letters[1] ?? '', ANN);
    const done = await run(world, ['--from', '-', '--yes', ...WHY], `${exported.stdout}\n${exported.stdout}`);
    expect(done.code).toBe(1);
    const statuses = done.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { status: string }).status);
    expect(statuses).toEqual(['replayed', 'handled', 'replayed']);
  });

  test('names every line of a file that is wrong, and does nothing', async () => {
    const { world, letters } = await graveyard(['404']);
    const good = JSON.stringify({ id: letters[0], destination: world.name });
    const lines = [good, 'x', '[]', '', '{"id":1,"destination":"sms"}', '{"id":"a.g0","destination":"S/M"}'];
    const ended = await run(world, ['--from', '-', '--yes', ...WHY], lines.join('\n'));
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    for (const said of [
      'line 2 is not JSON',
      'line 3 is not',
      'line 5 has no id',
      'line 6 has no name',
      'Nothing was done',
    ])
      expect(ended.stderr).toContain(said);
    expect(await getLetter(world.reader, world.name, letters[0] ?? '')).toMatchObject({ state: 'open' });
    expect((await run(world, ['--from', 'missing.ndjson', '--yes', ...WHY])).stderr).toContain(
      '--from missing.ndjson cannot be read (ENOENT)',
    );
    expect((await run(world, ['--from', '-', 'an-id', '--yes', ...WHY])).stderr).toContain('give one of them');
  });
});
