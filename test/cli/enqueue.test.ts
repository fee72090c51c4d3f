import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { createWorld } from '../support/world.ts';
import { documents, emptyFolder, runCli } from './run-cli.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

function freshName(): string {
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  return name;
}

const line = (more: object = {}): string =>
  JSON.stringify({ method: 'POST', path: '/v1/profiles', body: { email: 'a@example.com' }, ...more });

test('each line is answered in its own order, and a bad one never stops the others', async () => {
  const input = [
    line({ idempotencyKey: 'k1' }),
    '',
    'not json',
    line({ idempotencyKey: 'k1' }),
    line({ idempotencyKey: 'k1', path: '/v1/stores' }),
    line({ method: 'GET' }),
    line({ headers: { authorization: 'x' } }),
    line({ maxAttempt: 3 }),
    line({ idempotencyKey: 7 }),
    '[1]',
    line({ delay: -1 }),
    line({ expiresAt: '2020-01-01T00:00:00Z', priority: 3, delay: 60_000, maxAttempts: 2 }),
    line({ expiresAt: 'tomorrow' }),
  ].join('\n');
  const { code, stdout, stderr } = await runCli(['enqueue', freshName()], { input });
  const answers = documents(stdout);
  expect(
    answers.map((answer) => [answer.line, answer.status, (answer.error as { field?: string } | undefined)?.field]),
  ).toEqual([
    [1, 'queued', undefined],
    [3, 'invalid', undefined],
    [4, 'duplicate', undefined],
    [5, 'conflict', 'idempotencyKey'],
    [6, 'invalid', 'method'],
    [7, 'invalid', 'headers.authorization'],
    [8, 'invalid', 'maxAttempt'],
    [9, 'invalid', 'idempotencyKey'],
    [10, 'invalid', undefined],
    [11, 'invalid', 'options.delay'],
    [12, 'queued', undefined],
    [13, 'invalid', 'options.expiresAt'],
  ]);
  expect(answers[0]).toMatchObject({ idempotencyKey: 'k1', jobId: answers[2]?.jobId });
  expect(answers[10]?.idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
  expect(code).toBe(1);
  expect(stderr).toMatch(/: 2 queued, 1 duplicate, 1 conflict, 8 invalid\n$/);
});

test('the same input again is all duplicates, and ends well', async () => {
  const name = freshName();
  const input = Array.from({ length: 250 }, (_, i) => line({ idempotencyKey: `key-${i}` })).join('\n');
  expect(await runCli(['enqueue', name], { input })).toMatchObject({ code: 0, stderr: `${name}: 250 queued\n` });
  const again = await runCli(['enqueue', name], { input });
  expect(again).toMatchObject({ code: 0, stderr: `${name}: 250 duplicate\n` });
  expect(documents(again.stdout).map((answer) => answer.line)).toEqual(Array.from({ length: 250 }, (_, i) => i + 1));
});

test('the digits of a big number reach the API', async () => {
  const world = await createWorld();
  const body = '{"store_id":"s","amount":12345678901234567890.10,"currency":"DKK"}';
  const input = `{"method":"POST","path":"/v1/sales-events","body":${body},"idempotencyKey":"big"}\n`;
  await runCli(['enqueue', world.name], { input });
  const [job] = await world.queue.getJobs(['waiting']);
  expect(job?.data.body).toBe(body);
  await world.startWorker();
  await world.until('big', 'delivered');
});

test('-o json is one document, and -o table a row a line', async () => {
  const name = freshName();
  const input = `${line({ idempotencyKey: 'a' })}\nnope\n`;
  const json = await runCli(['enqueue', name, '-o', 'json'], { input });
  expect(JSON.parse(json.stdout)).toMatchObject([
    { line: 1, status: 'queued' },
    { line: 2, status: 'invalid' },
  ]);
  const table = await runCli(['-o', 'table', 'enqueue', name], { input });
  expect(table.stdout).toMatch(
    /^ +1 {2}duplicate +a +w\S{22}\n +2 {2}invalid +- +INVALID_WRITE: the line is not JSON\n$/,
  );
});

test('Redis away: every line is answered, with the key to add it again, and the exit code says so', async () => {
  const input = `${line()}\n${line({ idempotencyKey: 'mine' })}\nnope\n`;
  const { code, stdout } = await runCli(['enqueue', 'sms'], { input, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  expect(code).toBe(3);
  expect(documents(stdout)).toMatchObject([
    {
      status: 'unavailable',
      idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/),
      error: { code: 'QUEUE_UNAVAILABLE' },
    },
    { status: 'unavailable', idempotencyKey: 'mine' },
    { status: 'invalid' },
  ]);
});

test('options are numbers however they are written, and a time that is none is answered with what one looks like', async () => {
  const raw = (options: string): string => `{"method":"POST","path":"/v1/x",${options}}`;
  const input = [
    raw('"delay":1e3,"priority":5.0,"maxAttempts":2e0'),
    raw('"expiresAt":4.102444800e12'),
    raw('"delay":1e400'),
    raw('"delay":1.5'),
    raw('"expiresAt":"tomorrow"'),
    raw('"expiresAt":"2030-13-45T00:00:00Z"'),
    raw('"expiresAt":true'),
  ].join('\n');
  const answers = documents((await runCli(['enqueue', freshName()], { input })).stdout);
  expect(answers.map(({ status }) => status)).toEqual([
    'queued',
    'queued',
    ...Array.from({ length: 5 }, () => 'invalid'),
  ]);
  for (const { error } of answers.slice(4)) {
    expect(error).toEqual({
      code: 'INVALID_WRITE',
      field: 'options.expiresAt',
      message: expect.stringContaining('must be an ISO time with its zone, such as "2026-11-22T17:01:02Z"'),
    });
  }
});

test.each(['ndjson', 'json', 'table'])('a reader that has enough does not end it half way: -o %s', async (format) => {
  const name = freshName();
  const count = 4000;
  const input = Array.from({ length: count }, (_, i) => line({ idempotencyKey: `key-${i}` })).join('\n');
  const file = join(await emptyFolder(), 'writes.ndjson');
  await writeFile(file, input);
  const command = `{ "${process.execPath}" "${MAIN}" enqueue ${name} -o ${format} < "${file}"; echo "exit $?" >&2; } | head -n 1`;
  const env = { ...process.env, REDIS_URL: redisUrl() };
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { cwd: await emptyFolder(), env });
  expect(stdout.length).toBeGreaterThan(0);
  expect(stderr).toBe(`${name}: ${count} queued\nexit 0\n`);
});

test('a Redis that refuses has answered: every line is tried, and told as refused', async () => {
  const world = await createWorld();
  await world.reader.client.set(`{waybill:${world.name}}:${world.name}:wait`, 'of another type');
  const { code, stdout, stderr } = await runCli(['enqueue', world.name], { input: line({ idempotencyKey: 'k' }) });
  expect(documents(stdout)).toMatchObject([
    { status: 'refused', idempotencyKey: 'k', error: { code: 'QUEUE_REFUSED' } },
  ]);
  expect(stderr).toBe(`${world.name}: 1 refused\n`);
  expect(code).toBe(3);
});

test('a name that cannot be a destination is refused before anything is read', async () => {
  expect(await runCli(['enqueue', 'No Name'], { input: line() })).toMatchObject({ code: 2, stdout: '' });
});
