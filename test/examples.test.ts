// examples/ as a user runs them: in a built clone, as processes, importing `waybill` as everybody does. Only their
// destination is not `sms` here but one of the test's own.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { run } from '../dev/redis/command.ts';
import { assertAppliedOnce } from '../dev/testing.ts';
import { copyCheckout, npm, plainEnvironment } from './support/checkout.ts';
import { type NodeProcess, spawnNode } from './support/processes.ts';
import { cleanUp, redisUrl } from './support/redis.ts';
import { createWorld, planned, type World } from './support/world.ts';

const BUILD_LIMIT_MS = 120_000;
const START_LIMIT_MS = 20_000;
const VITEST_LIMIT_MS = 60_000;

let clone: string;
beforeAll(async () => {
  clone = await copyCheckout();
  await npm(['run', '-s', 'build'], clone);
}, BUILD_LIMIT_MS);
afterAll(() => clone && rm(clone, { recursive: true, force: true }));

/** @returns the folder of an example that has the world's destination in the place of `sms` */
async function layOut(example: string, { name }: World): Promise<string> {
  const folder = join(clone, 'examples', name);
  await mkdir(folder);
  for (const file of await readdir(join(clone, 'examples', example))) {
    const text = await readFile(join(clone, 'examples', example, file), 'utf8');
    await writeFile(join(folder, file), text.replaceAll(/\bsms\b/g, name));
  }
  return folder;
}

/** Starts a server on a free port. @returns its address */
async function serve(file: string, env: NodeJS.ProcessEnv = {}): Promise<{ url: string; server: NodeProcess }> {
  const server = spawnNode(file, { env: { REDIS_URL: redisUrl(), PORT: '0', ...env } });
  const line = await server.waitForLine('Server listening at', START_LIMIT_MS);
  return { url: /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '', server };
}

const order = (url: string, phone: string, key?: string): Promise<Response> =>
  fetch(`${url}/orders/7/opt-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
    body: JSON.stringify({ phone_number: phone }),
  });

test('fastify-app answers 202 with the key, whoever asks again gets the same write, and it is applied once', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { url, server } = await serve(join(await layOut('fastify-app', world), 'app.ts'));
  const answers = [
    await order(url, '+4512345678'),
    await order(url, '+4512345678'),
    await order(url, '+4512345678', 'k1'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
    { idempotencyKey: 'opt-in-7', duplicate: false },
    { idempotencyKey: 'opt-in-7', duplicate: true },
    { idempotencyKey: 'k1', duplicate: false },
  ]);
  for (const key of ['opt-in-7', 'k1']) {
    await world.until(key, 'delivered');
    await assertAppliedOnce(world.sandbox, key);
  }
  server.kill('SIGTERM');
  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test('fastify-app answers 409 to another payload under the same key, and 400 to a key that is none', async () => {
  const world = await createWorld();
  const { url } = await serve(join(await layOut('fastify-app', world), 'app.ts'));
  expect((await order(url, '+4512345678')).status).toBe(202);
  const conflict = await order(url, '+4587654321');
  expect([conflict.status, await conflict.json()]).toEqual([409, { code: 'IDEMPOTENCY_CONFLICT' }]);
  expect((await order(url, '+4512345678', 'k'.repeat(256))).status).toBe(400);
});

test('fastify-app answers 503 while Redis is away', async () => {
  const world = await createWorld();
  const file = join(await layOut('fastify-app', world), 'app.ts');
  const { url } = await serve(file, { REDIS_URL: 'redis://127.0.0.1:1' });
  const away = await order(url, '+4512345678');
  expect([away.status, await away.json()]).toEqual([503, { code: 'QUEUE_UNAVAILABLE' }]);
});

test('dashboard-in-fastify knows the people of the application, what each may do, and what nobody sees', async () => {
  const world = await createWorld();
  await world.startWorker();
  const body = { phone_number: '+4512345678', ...(planned('400').body as object) };
  const { data } = await world.queue.add('send', { ...planned('400'), body });
  await world.until(data.idempotencyKey, 'dead');
  const { url } = await serve(join(await layOut('dashboard-in-fastify', world), 'server.ts'));
  const enter = async (name: string) => {
    const answer = await fetch(`${url}/sign-in/${name}`, { redirect: 'manual' });
    const cookies = answer.headers.getSetCookie().map((set) => set.split(';', 1)[0] ?? '');
    const session = await fetch(`${url}/ops/waybill/api/session`, { headers: { cookie: cookies.join('; ') } });
    cookies.push(...session.headers.getSetCookie().map((set) => set.split(';', 1)[0] ?? ''));
    const { csrf = '' } = (await session.json()) as { csrf?: string };
    return { cookie: cookies.join('; '), 'x-csrf-token': csrf, 'content-type': 'application/json', origin: url };
  };
  const inside = async (path: string, headers: Record<string, string>, reason?: string) => {
    const write = reason !== undefined && { method: 'POST', body: JSON.stringify({ reason }) };
    const answer = await fetch(`${url}/ops/waybill/${path}`, { headers, ...write });
    return [answer.status, await answer.text()] as const;
  };
  expect((await inside('', {}))[1]).toContain('<base href="/ops/waybill/"');
  const list = `api/dead-letters?destination=${world.name}`;
  expect((await inside(list, await enter('nobody')))[0]).toBe(401);
  const [vera, otto] = [await enter('vera'), await enter('otto')];
  const [{ id }] = (JSON.parse((await inside(list, vera))[1]) as { items: [{ id: string }] }).items;
  const letter = `api/dead-letters/${world.name}/${id}`;
  const [status, shown] = await inside(letter, vera);
  expect(status).toBe(200);
  expect(shown).not.toContain('4512345678');
  expect((await inside(`${letter}/discard`, vera, 'seen'))[0]).toBe(403);
  expect((await inside(`${letter}/discard`, otto, 'seen'))[0]).toBe(200);
  expect((await inside('api/audit', otto))[1]).toContain('otto@example.com');
});

test('bullmq-producer: a job of a plain BullMQ producer is sent, and applied once', async () => {
  const world = await createWorld({ sandbox: { faults: { 'reset-after': 0.5 }, seed: 3 } });
  await world.startWorker();
  const producer = spawnNode(join(await layOut('bullmq-producer', world), 'producer.ts'), {
    env: { REDIS_URL: redisUrl() },
  });
  const [id = ''] = /\w+$/.exec(await producer.waitForLine('added as job', START_LIMIT_MS)) ?? [];
  expect(await producer.exited).toEqual({ code: 0, signal: null });
  await world.until(id, 'delivered');
  const keys = Object.keys(world.sandbox.ledger().keys);
  expect(keys).toHaveLength(1);
  await assertAppliedOnce(world.sandbox, keys[0] ?? '');
});

test(
  "your-test: a user's own test passes, and fails once his code makes a new key for each try",
  async () => {
    const world = await createWorld();
    onTestFinished(() => cleanUp([`${world.name}-test`]));
    const folder = await layOut('your-test', world);
    const vitest = () =>
      run(process.execPath, [join(clone, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder], {
        cwd: clone,
        env: plainEnvironment({ REDIS_URL: redisUrl(), NO_COLOR: '1' }),
        limitMs: VITEST_LIMIT_MS,
      });
    expect(await vitest()).toMatch(/Tests +1 passed/);
    const code = join(folder, 'opt-in.ts');
    const text = await readFile(code, 'utf8');
    await writeFile(code, text.replace('opt-in-${order.id}', '${Math.random()}'));
    await expect(vitest()).rejects.toThrow();
  },
  2 * VITEST_LIMIT_MS,
);

test('bull-board shows the writes and the dead letters, and no request to it can change anything', async () => {
  const world = await createWorld();
  const worker = await world.startWorker();
  for (const [step, state] of [
    ['ok', 'delivered'],
    ['400', 'dead'],
  ] as const) {
    await world.until((await world.queue.add('send', planned(step))).data.idempotencyKey, state);
  }
  await worker.stop();
  const delayed = await world.queue.add('send', planned('ok'), { delay: 3_600_000 });
  const before = await storedBy(world);

  const { url, server } = await serve(join(await layOut('bull-board', world), 'board.ts'));
  expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
  const shown = (await (await fetch(`${url}/api/queues`)).json()) as Shown;
  const none = { active: 0, waiting: 0, 'waiting-children': 0, prioritized: 0, delayed: 0, completed: 0, failed: 0 };
  expect(shown.queues.map(({ name, counts }) => [name, counts])).toEqual([
    [world.name, { ...none, completed: 1, failed: 1, delayed: 1 }],
    [`${world.name}.dead`, { ...none, prioritized: 1 }],
  ]);

  const answers = await Promise.all(CHANGES.map((change) => ask(url, change, world.name, delayed.id ?? '')));
  expect(answers.filter(([, status]) => status !== 405)).toEqual([
    ['/api/queues/pause', 200], // of all the queues that may be paused: there is none
    ['/api/queues/resume', 200],
  ]);
  expect(answers.length).toBeGreaterThan(20);
  server.kill('SIGTERM');
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(await storedBy(world)).toEqual(before);
});

interface Shown {
  queues: { name: string; counts: Record<string, number> }[];
}

/** Every route of Bull Board that is no GET. */
const CHANGES = appRoutes.api
  .map(({ method, route }) => ({ method: [method].flat()[0] ?? 'get', route: [route].flat()[0] ?? '' }))
  .filter(({ method }) => method !== 'get');

/** What any of these routes reads; each takes its own and leaves the others. */
const BODY = {
  name: 'send',
  data: {},
  options: {},
  jobData: {},
  runAt: 1,
  priority: 1,
  concurrency: 1,
  max: 1,
  duration: 1,
  force: true,
  every: 1000,
};

async function ask(
  url: string,
  change: (typeof CHANGES)[number],
  queue: string,
  job: string,
): Promise<[string, number]> {
  const params: Record<string, string> = { queueName: queue, jobId: job, queueStatus: 'failed', schedulerId: 'none' };
  const path = change.route.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? '');
  const { status } = await fetch(url + path, {
    method: change.method.toUpperCase(),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(BODY),
  });
  return [change.route, status];
}

/** Every key of a destination with its value as Redis keeps it; those that expire by themselves left out. */
async function storedBy({ name }: World): Promise<Record<string, string>> {
  const redis = new Redis(redisUrl());
  try {
    const stored: Record<string, string> = {};
    for await (const keys of redis.scanStream({ match: `{waybill:${name}}:*`, count: 1000 }) as AsyncIterable<
      string[]
    >) {
      for (const key of keys) {
        if ((await redis.ttl(key)) === -1) stored[key] = (await redis.dumpBuffer(key))?.toString('hex') ?? '';
      }
    }
    return stored;
  } finally {
    redis.disconnect();
  }
}
