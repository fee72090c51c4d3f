// No credential leaves the worker: a run with recognisable secrets through every path, then a search for them in every
// log line, every key of Redis, every dead letter and everything that a program prints.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { createQueue } from '../../producer/index.ts';
import { letters } from '../../queue/dead-letters.ts';
import { Reader } from '../../queue/reader.ts';
import { createWorker } from '../../worker/index.ts';
import { eventually, planned } from '../support/world.ts';

const AUTH = 'sk_live_5up3rs3cr3t/+="quote';
const REDIS_PASSWORD = 'r3d1s-p4ssw0rd';

test('the auth value and the Redis password are nowhere but where they belong', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-secrets-'));
  const server = await startPrivateRedis({ dir });
  const admin = new Redis(server.url);
  await admin.call('ACL', 'SETUSER', 'app', 'on', `>${REDIS_PASSWORD}`, '~*', '&*', '+@all');
  const url = server.url.replace('redis://', `redis://app:${encodeURIComponent(REDIS_PASSWORD)}@`);

  // An API that echoes the credential wherever it can, in every encoding.
  const api = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const key = String(request.headers['x-api-key']);
      const { status } = JSON.parse(body) as { status: number | 'reset' };
      if (status === 'reset') return void request.socket.resetAndDestroy();
      const said = `${key} ${encodeURIComponent(key)} ${Buffer.from(key).toString('base64')}`;
      response.writeHead(status, { 'x-request-id': `req_${encodeURIComponent(key)}` });
      // As PHP and Go write it: with escapes that JSON.stringify would not use.
      const escaped = (text: string): string => text.replaceAll('/', '\\/').replaceAll('+', '\\u002B');
      response.end(
        escaped(JSON.stringify({ code: key, message: said, request_id: key, details: { [key]: said, field: key } })),
      );
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => api.once('listening', resolve));

  const authFile = join(dir, 'auth');
  await writeFile(authFile, `${AUTH}\n`);
  const lines: string[] = [];
  const config = {
    redis: { url },
    log: { level: 'trace' as const },
    destinations: {
      sms: {
        baseUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
        auth: { header: 'x-api-key', env: 'SMS_API_KEY' },
        retry: { baseMs: 10, capMs: 20, maxAttempts: 3 },
      },
    },
  };
  const worker = await createWorker(config, {
    env: { SMS_API_KEY_FILE: authFile },
    logTo: { write: (line: string) => void lines.push(line) },
  });
  const queue = createQueue('sms', { connection: url });
  const reader = await Reader.open(url);
  onTestFinished(async () => {
    await queue.close();
    await reader.close();
    admin.disconnect();
    api.close();
    await server.stop();
    await rm(dir, { recursive: true });
  });

  for (const status of [201, 400, 401, 409, 429, 500, 503, 302, 'reset'] as const) {
    await queue.add('send', { method: 'POST', path: '/x', body: { status } });
  }
  await eventually(async () =>
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 1, failed: 8 }),
  );
  // Redis goes away under a worker and a producer at work: what they say then is searched too.
  await admin.call('ACL', 'SETUSER', 'app', 'off');
  await admin.call('CLIENT', 'KILL', 'USER', 'app');
  const refused = await queue.add('send', planned()).catch((error: Error) => error);
  await admin.call('ACL', 'SETUSER', 'app', 'on');
  const outcomes = [(refused as Error).message, JSON.stringify(refused)];
  const wrongs: (() => unknown)[] = [
    () => createQueue('sms', { connection: `http://app:${REDIS_PASSWORD}@127.0.0.1` }),
    () => createWorker({ ...config, destinations: { sms: { baseUrl: `http://u:${REDIS_PASSWORD}@127.0.0.1` } } }),
    () =>
      createWorker({ ...config, redis: { url: url.replace(`:${server.port}`, ':1') } }, { env: { SMS_API_KEY: AUTH } }),
    () => queue.add('send', { method: 'POST', path: `https://u:${REDIS_PASSWORD}@127.0.0.1/x` }),
  ];
  for (const wrong of wrongs) {
    const error = await (async () => wrong())().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { message, stack, cause } = error as Error;
    outcomes.push(message, JSON.stringify(error), stack ?? '', JSON.stringify(cause ?? ''));
  }
  const dead = await eventually(() => Array.fromAsync(letters(reader, 'sms')));
  await worker.stop();

  const stored: string[] = [];
  for (const key of await admin.keys('*')) {
    const kind = await admin.type(key);
    stored.push(key);
    if (kind === 'hash') stored.push(...Object.entries(await admin.hgetall(key)).flat());
    if (kind === 'string') stored.push((await admin.get(key)) ?? '');
    if (kind === 'zset') stored.push(...(await admin.zrange(key, '0', '-1')));
    if (kind === 'list') stored.push(...(await admin.lrange(key, 0, -1)));
    if (kind === 'stream') stored.push(JSON.stringify(await admin.xrange(key, '-', '+')));
  }
  expect(dead).toHaveLength(8);
  expect(dead.filter(({ envelope }) => envelope?.code === '[redacted]').length).toBeGreaterThanOrEqual(6);
  expect(lines.length).toBeGreaterThan(15);
  const everything = [...lines, ...stored, ...outcomes, ...dead.map((letter) => JSON.stringify(letter))];
  const forms = [
    AUTH,
    encodeURIComponent(AUTH),
    JSON.stringify(AUTH).slice(1, -1),
    Buffer.from(AUTH).toString('base64'),
    AUTH.replaceAll('/', '\\/'),
    AUTH.slice(0, 14),
    REDIS_PASSWORD,
    encodeURIComponent(REDIS_PASSWORD),
  ];
  for (const form of forms) expect(everything.filter((text) => text.includes(form))).toEqual([]);
});

test('a missing or unusable credential is named at start-up, all at once, and not repeated', async () => {
  const destination = (env: string) => ({ baseUrl: 'http://127.0.0.1:9', auth: { header: 'x-api-key', env } });
  const config = {
    destinations: {
      a: destination('A_KEY'),
      b: destination('B_KEY'),
      c: destination('C_KEY'),
      d: destination('D_KEY'),
      e: destination('E_KEY'),
    },
  };
  const error = await createWorker(config, {
    env: { B_KEY: 'hunter22\r\nX: y', C_KEY: 'short', E_KEY: '', D_KEY_FILE: '/no/such/file' },
  }).catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ code: 'INVALID_CONFIG' });
  for (const part of [
    'A_KEY is not set',
    'B_KEY cannot be',
    'C_KEY must have at least 6',
    'E_KEY is empty',
    'D_KEY_FILE: cannot be read (ENOENT)',
  ])
    expect((error as Error).message).toContain(part);
  expect((error as Error).message).not.toMatch(/hunter22|short,/);
});
