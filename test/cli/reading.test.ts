// find, and what the reading commands share, on writes that a real worker settled.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import { SCAN_LIMIT } from '../../queue/find-delivered.ts';
import { discard, replay } from '../../queue/operate.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned, type World } from '../support/world.ts';
import { documents, emptyFolder, MAIN, runCli } from './run-cli.ts';

const REQUEST_ID = /req_[0-9a-f-]{36}/;
let world: World;

beforeEach(async () => {
  world = await createWorld();
});

async function added(...plan: string[]): Promise<string> {
  return (await world.queue.add('send', planned(...plan))).data.idempotencyKey;
}

test('find tells of a write that was retried and delivered: verdict, each attempt, why each wait was that long', async () => {
  await world.startWorker();
  const key = await added('503', 'ok');
  await world.until(key, 'delivered');
  const { code, stdout, stderr } = await runCli(['find', key, '--destination', world.name]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^state +delivered$/m);
  expect(stdout).toMatch(/^verdict +applied-once: the API applied it, once$/m);
  expect(stdout).toMatch(/^1 .* 503 SERVICE_UNAVAILABLE .* req_\S+ +again in [\d.]+ s = base 20 \+ jitter \d$/m);
  expect(stdout).toMatch(/^2 .* 201 .* req_\S+ +delivered$/m);
  expect(stdout).not.toContain('\u001b');

  const [found] = JSON.parse((await runCli(['find', key, '-o', 'json'])).stdout) as Record<string, unknown>[];
  expect(found).toMatchObject({
    destination: world.name,
    idempotencyKey: key,
    state: 'delivered',
    verdict: 'applied-once',
    journal: { attempts: [{ status: 503, explain: expect.stringMatching(/^0\.0\d s = base 20 \+ jitter \d$/) }] },
    delivery: { status: 201, attempts: 2 },
    requestIds: [expect.stringMatching(REQUEST_ID), expect.stringMatching(REQUEST_ID)],
  });
});

test('find tells of a dead write by its key, its job id, its dead letter id and its request_id', async () => {
  await world.startWorker();
  const key = await added('400');
  const { jobId, letter } = await world.until(key, 'dead');
  for (const id of [key, jobId, letter?.id ?? '', letter?.requestId ?? '']) {
    const { code, stdout } = await runCli(['find', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^state +dead$/m);
    expect(stdout).toMatch(/^because +rejected: HTTP 400 is not retried$/m);
    expect(stdout).toMatch(/^the API said +The request was rejected, as its sandbox plan asked\.$/m);
    expect(stdout).toMatch(/^field +sandbox\.plan$/m);
    expect(stdout).toMatch(/^verdict +not-applied: /m);
  }
});

test('find tells of a write that waits for its next attempt when that will be', async () => {
  await world.startWorker();
  const key = await added('429:retry-after=30');
  await world.until(key, 'retrying');
  const { stdout } = await runCli(['find', key]);
  expect(stdout).toMatch(/^state +retrying$/m);
  expect(stdout).toMatch(/^verdict +not-applied so far: /m);
  expect(stdout).toMatch(/^next attempt +\S+Z \(in [23]\d\.\d s\)$/m);
  expect(stdout).toMatch(/again in 30 s = Retry-After; base 20 \+ jitter \d was shorter$/m);
});

test('find of what is nowhere ends with 1, says where it looked, and still prints a document', async () => {
  await added();
  const { code, stdout, stderr } = await runCli(['find', 'no-such-key', '-o', 'json', '--destination', world.name]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '[]\n' });
  expect(stderr).toBe(
    `waybill: NOT_FOUND: nothing stands for "no-such-key" as idempotency key, job id, dead letter id or request_id; looked in ${world.name}. There is no delivered write. A delivered write is kept for retention.deliveredMs of its destination, and at least as long as its key lives.\n`,
  );
  const unknown = await runCli(['find', 'x', '--destination', 'never-used']);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/^waybill: NOT_FOUND: no destination "never-used"; there are /);
});

test('find tells of a delivered write by its request_id, and of how many delivered ones it has gone through', async () => {
  await world.startWorker();
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) ids.push((await world.until(await added('ok'), 'delivered')).requestIds[0] ?? '');
  const of = ['--destination', world.name];
  const [found, short, none, help] = await Promise.all([
    runCli(['find', ids[0] ?? '', ...of]),
    runCli(['find', ids[0] ?? '', ...of, '--scan-limit', '2']),
    runCli(['find', ids[0] ?? '', ...of, '--scan-limit', '0']),
    runCli(['find', '--help']),
  ]);
  expect(help.stdout).toMatch(new RegExp(`default\\s+${SCAN_LIMIT}$`, 'm'));
  expect(found).toMatchObject({ code: 0, stderr: '' });
  expect(found.stdout).toMatch(/^state +delivered$/m);
  expect(short).toMatchObject({ code: 1, stdout: '' });
  expect(short.stderr).toMatch(/ Looked at 2 of 3 delivered writes, back to \S+Z; --scan-limit looks further\. /);
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toContain(' No delivered write was gone through for a request_id: --scan-limit says how many ');
});

test('find tells what became of a dead write: discarded, its earlier generations, or where another key took it', async () => {
  await world.startWorker();
  const ann = { by: 'ann', reason: 'the template is mended' };
  const [again, other, unwanted] = [await added('401', 'ok'), await added('400'), await added('404')];
  const letterOf = async (key: string): Promise<string> => (await world.until(key, 'dead')).letter?.id ?? '';
  await replay(world.reader, world.name, await letterOf(again), ann);
  await world.until(again, 'delivered');
  const { jobId } = await replay(world.reader, world.name, await letterOf(other), ann, { newKey: 'a-new-key' });
  await discard(world.reader, world.name, await letterOf(unwanted), { by: 'ben', reason: 'not wanted' });
  await world.until('a-new-key', 'dead');
  const find = async (key: string): Promise<string> => (await runCli(['find', key])).stdout;
  const [delivered, replaced, replacement, discarded] = await Promise.all(
    [again, other, 'a-new-key', unwanted].map(find),
  );
  expect(delivered).toMatch(
    /^generation 0 +died \S+Z: rejected, HTTP 401 is not retried, not-applied; replayed by ann at \S+Z: the template is mended$/m,
  );
  expect(delivered).toMatch(/^generation +1$/m);
  expect(replaced).toMatch(/^state +replaced$/m);
  expect(replaced).toMatch(new RegExp(`^replaced by +key a-new-key \\(job ${jobId}\\)$`, 'm'));
  expect(replacement).toMatch(/^replayed from +dead letter \S+\.g0, of another key$/m);
  expect(discarded).toMatch(/^state +discarded$/m);
  expect(discarded).toMatch(/^then +discarded by ben at \S+Z: not wanted$/m);
});

test('dead letters are listed the newest first and exported the oldest first', async () => {
  await world.startWorker();
  const keys: string[] = [];
  for (const step of ['400', '401', '404']) {
    const key = await added(step);
    await world.until(key, 'dead');
    keys.push(key);
  }
  const of = ['--destination', world.name];
  const table = (await runCli(['dead-letters', 'list', '--limit', '2', ...of])).stdout.trimEnd().split('\n');
  expect(table).toHaveLength(3);
  expect(table[0]).toMatch(/^id +died +destination +reason +status +code +verdict +request_id +write$/);
  expect(table[1]).toMatch(/ rejected +404 +NOT_FOUND +not-applied +req_\S+ +POST \/v1\/subscriptions\/opt-in$/);
  expect(table[2]).toMatch(/ rejected +401 +AUTH_INVALID_API_KEY +not-applied /);

  const list = JSON.parse((await runCli(['dead-letters', 'list', '-o', 'json', ...of])).stdout) as { status: number }[];
  expect(list.map(({ status }) => status)).toEqual([404, 401, 400]);
  const exported = documents((await runCli(['dead-letters', 'export', ...of])).stdout);
  expect(exported.map((letter) => (letter.write as { idempotencyKey: string }).idempotencyKey)).toEqual(keys);
});

test('without dead letters the list is empty, and says so beside the data', async () => {
  await added();
  const of = ['--destination', world.name];
  expect(await runCli(['dead-letters', 'list', ...of])).toEqual({ code: 0, stdout: '', stderr: 'no dead letters\n' });
  expect(await runCli(['dead-letters', 'export', ...of])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a letter that is no letter any more is told by its id, and hides no other', async () => {
  await world.startWorker();
  const letters: string[] = [];
  const keys: string[] = [];
  for (const step of ['400', '401', '404', '400']) {
    const key = await added(step);
    keys.push(key);
    letters.push((await world.until(key, 'dead')).letter?.id ?? '');
  }
  const base = `{waybill:${world.name}}:${world.name}.dead:`;
  await world.reader.client.hset(`${base}${letters[0]}`, 'data', '{broken');
  await world.reader.client.hset(`${base}${letters[1]}`, 'data', '{}');
  await world.reader.client.hset(`${base}${letters[2]}`, 'data', 'null');
  const of = ['--destination', world.name];
  const list = await runCli(['dead-letters', 'list', ...of]);
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout.match(/cannot be read/g)).toHaveLength(3);
  for (const id of letters) expect(list.stdout).toContain(id);
  const exported = documents((await runCli(['dead-letters', 'export', ...of])).stdout);
  expect(exported.map(({ id }) => id)).toEqual(letters);
  expect(exported.map(({ unreadable }) => typeof unreadable)).toEqual(['string', 'string', 'string', 'undefined']);
  expect(exported[0]).toMatchObject({ destination: world.name, deadAt: expect.any(Number) });

  const found = await runCli(['find', keys[0] ?? '', ...of]);
  expect(found.code).toBe(0);
  expect(found.stdout).toMatch(/^state +dead$/m);
  expect(found.stdout).toMatch(/^dead letter +none that can be read$/m);
});

test('export prints one array with -o json, and has no table', async () => {
  await world.startWorker();
  const keys = [await added('400'), await added('400')];
  for (const key of keys) await world.until(key, 'dead');
  const of = ['--destination', world.name];
  const all = JSON.parse((await runCli(['dead-letters', 'export', '-o', 'json', ...of])).stdout) as unknown[];
  expect(all).toHaveLength(2);
  const table = await runCli(['dead-letters', 'export', '-o', 'table', ...of]);
  expect(table).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('dead-letters list') });
});

test('a Redis that refuses is told as one that has answered', async () => {
  await added();
  await world.reader.client.set(`{waybill:${world.name}}:${world.name}.rows:time`, 'of another type');
  const { code, stderr } = await runCli(['dead-letters', 'list', '--destination', world.name]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^waybill: QUEUE_REFUSED: Redis refused a command \(WRONGTYPE /);
});

test('a reader that has enough ends a command that reads, quietly and well', async () => {
  await world.startWorker();
  // Beyond what a pipe holds, 64 KiB, and what the CLI has written before the reader is gone.
  const text = 'x'.repeat(200_000);
  for (let i = 0; i < 3; i += 1) {
    const { method, path, body } = planned('400');
    const { data } = await world.queue.add('send', { method, path, body: { ...(body as object), text } });
    await world.until(data.idempotencyKey, 'dead');
  }
  const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const command = `{ "${process.execPath}" "${main}" dead-letters export --destination ${world.name}; echo "exit $?" >&2; } | head -c 1`;
  const shell = spawn('sh', ['-c', command], {
    cwd: await emptyFolder(),
    env: { ...process.env, REDIS_URL: redisUrl() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  shell.stdout.resume();
  shell.stderr.setEncoding('utf8').on('data', (said: string) => errors.push(said));
  await once(shell, 'close');
  expect(errors.join('')).toBe('exit 0\n');
});

test.skipIf(!existsSync('/dev/full'))('an output that cannot be written is told, and ends with 1', async () => {
  await added('ok');
  const run = spawn('sh', ['-c', '"$0" "$1" status -o json > /dev/full', process.execPath, MAIN], {
    env: { ...process.env, REDIS_URL: redisUrl() },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  run.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  expect(await once(run, 'close')).toEqual([1, null]);
  expect(said).toContain('standard output cannot be written (ENOSPC)');
});

test('a list that is cut short says of how many', async () => {
  await world.startWorker();
  const keys = [await added('400'), await added('400'), await added('400')];
  for (const key of keys) await world.until(key, 'dead');
  const { stdout, stderr } = await runCli([
    'dead-letters',
    'list',
    '--destination',
    world.name,
    '--limit',
    '2',
    '-o',
    'ndjson',
  ]);
  expect(documents(stdout)).toHaveLength(2);
  expect(stderr).toContain('the newest 2 of 3');
});
