// waybill enqueue with flags: one write, and what the flags may be together.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cleanUp, freshDestination } from '../support/redis.ts';
import { createWorld } from '../support/world.ts';
import { documents, emptyFolder, runCli } from './run-cli.ts';

function freshName(): string {
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  return name;
}

test('flags add one write, its body byte for byte', async () => {
  const world = await createWorld();
  const body = '{ "amount": 12345678901234567890.10,\t"emoji": "\\ud83d\\ude00" }\n';
  const flags = [
    '--path',
    '/v1/sales-events',
    '--method',
    'PUT',
    '--body',
    body,
    '--key',
    'order-17',
    '--priority',
    '3',
  ];
  const more = ['--header', 'X-Trace: a: b ', '--header', 'x-tenant:dk', '--delay', '60000', '--max-attempts', '2'];
  const until = ['--expires-at', '2130-01-01T00:00:00+01:00'];
  const { code, stdout, stderr } = await runCli(['enqueue', world.name, ...flags, ...more, ...until]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(documents(stdout)).toEqual([
    { line: 1, status: 'queued', idempotencyKey: 'order-17', jobId: expect.stringMatching(/^w\S{22}$/) },
  ]);
  const [job] = await world.queue.getJobs(['delayed']);
  expect(job?.data).toEqual({
    method: 'PUT',
    path: '/v1/sales-events',
    headers: { 'x-trace': 'a: b', 'x-tenant': 'dk' },
    body,
    idempotencyKey: 'order-17',
    maxAttempts: 2,
    expiresAt: Date.UTC(2129, 11, 31, 23),
  });
  expect(job?.opts).toMatchObject({ delay: 60_000, priority: 3, attempts: 2 });
});

test('POST and a new key are what is not said; a time may be epoch ms; -o says the form', async () => {
  const name = freshName();
  const at = ['enqueue', name, '--path', '/v1/x'];
  const [one] = JSON.parse((await runCli([...at, '-o', 'json', '--expires-at', '4102444800000'])).stdout) as object[];
  expect(one).toMatchObject({ status: 'queued', idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  const row = await runCli([...at, '-o', 'table', '--key', 'k']);
  expect(row).toMatchObject({ code: 0, stdout: expect.stringMatching(/^queued +k +w\S{22}\n$/) });
  const again = await runCli([...at, '--key', 'k']);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('"status":"duplicate"') });
});

test('the body is read from a file or from standard input as it stands; without that standard input is left alone', async () => {
  const world = await createWorld();
  const cwd = await emptyFolder();
  const body = '{"id":12345678901234567890}\r\n';
  await writeFile(join(cwd, 'body.json'), body);
  const at = ['enqueue', world.name, '--path', '/v1/x'];
  await runCli([...at, '--body-file', 'body.json', '--key', 'file'], { cwd });
  await runCli([...at, '--body-file', '-', '--key', 'stdin'], { cwd, input: body });
  await runCli([...at, '--key', 'none'], { cwd, input: body });
  const jobs = await world.queue.getJobs(['waiting']);
  const bodies = Object.fromEntries(jobs.map(({ data }) => [data.idempotencyKey, data.body]));
  expect(bodies).toEqual({ file: body, stdin: body, none: undefined });
});

test('a write that is not added is answered too, and told beside it: invalid ends with 2, a conflict with 1, Redis away with 3', async () => {
  const name = freshName();
  const at = ['enqueue', name, '--path', '/v1/x'];
  await runCli([...at, '--key', 'k']);
  const conflict = await runCli([...at, '--key', 'k', '--body', '{}']);
  expect(conflict).toMatchObject({ code: 1, stderr: expect.stringMatching(/^waybill: IDEMPOTENCY_CONFLICT: .*"k"/) });
  expect(documents(conflict.stdout)).toMatchObject([{ status: 'conflict', idempotencyKey: 'k' }]);
  const away = await runCli(at, { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  expect(away).toMatchObject({ code: 3, stderr: expect.stringMatching(/^waybill: QUEUE_UNAVAILABLE: .*same idemp/) });
  const invalid = [
    { flags: ['--method', 'GET'], field: 'method' },
    { flags: ['--header', 'authorization: x'], field: 'headers.authorization' },
    { flags: ['--expires-at', 'tomorrow'], field: 'options.expiresAt' },
    { flags: ['--expires-at', '2126-02-31T00:00:00Z'], field: 'options.expiresAt' },
    { flags: ['--expires-at', '1700000000'], field: 'options.expiresAt' },
    { flags: ['--key', ''], field: 'idempotencyKey' },
  ];
  const ends = await Promise.all(invalid.map(async ({ flags }) => runCli([...at, ...flags])));
  for (const [i, { code, stdout, stderr }] of ends.entries()) {
    const field = invalid[i]?.field;
    expect(documents(stdout)).toMatchObject([{ status: 'invalid', error: { code: 'INVALID_WRITE', field } }]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^waybill: INVALID_WRITE: /) });
  }
});

test.each([
  [['--body', '{}'], '--body says something about one write: give --path too'],
  [['--key', 'k', '--file', 'x'], '--key says something about one write: give --path too'],
  [['--path', '/x', '--file', 'x'], '--path is for one write, --file for the lines of many'],
  [['--path', '/x', '--body', '{}', '--body-file', 'x'], '--body and --body-file both give the body'],
  [['--path', '/x', '--body-file', 'none.json'], '--body-file none.json cannot be read (ENOENT)'],
  [['--path', '/x', '--header', 'no-colon'], 'It must be NAME: VALUE'],
  [['--path', '/x', '--header', 'a: 1', '--header', 'A: 2'], 'A is given twice'],
  [['--path', '/x', '--delay', '1.5'], 'It must be a whole number from 0 to 31536000000.'],
  [['--path', '/x', '--delay', '31536000001'], 'It must be a whole number from 0 to 31536000000.'],
  [['--path', '/x', '--priority', '0'], 'It must be a whole number from 1 to 2097151.'],
  [['--path', '/x', '--max-attempts', '101'], 'It must be a whole number from 1 to 100.'],
  [['--path', '/x', '--body', ''], '--body is empty: leave it out for a write without a body'],
  [['--path', '/x', '--body', 'hello'], `--body is not JSON. It may be an object, '{"to":"+4512345678"}'`],
  [['--path', '/x', '--body-file', '-'], '--body-file - is empty'],
  [['--file', 'none.ndjson'], '--file none.ndjson cannot be read (ENOENT)'],
  [['--file', '.'], '--file . is a folder'],
])('flags that cannot be meant are refused before anything is added: %j', async (flags, told) => {
  const { code, stdout, stderr } = await runCli(['enqueue', 'sms', ...flags]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/waybill: USAGE: /);
  expect(stderr).toContain(told);
});

test('lines come from a file as well', async () => {
  const name = freshName();
  const cwd = await emptyFolder();
  const lines = ['a', 'b'].map((key) => JSON.stringify({ method: 'POST', path: '/v1/x', idempotencyKey: key }));
  await writeFile(join(cwd, 'writes.ndjson'), `${lines.join('\n')}\nnot json\n`);
  const { code, stdout, stderr } = await runCli(['enqueue', name, '--file', 'writes.ndjson'], { cwd });
  expect(documents(stdout).map(({ line, status }) => [line, status])).toEqual([
    [1, 'queued'],
    [2, 'queued'],
    [3, 'invalid'],
  ]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: `${name}: 2 queued, 1 invalid\n` });
});
