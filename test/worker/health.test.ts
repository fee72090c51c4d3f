// The health port of a real worker: who is told what, and when.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { createWorker, type RunningWorker, type WorkerOptions } from '../../worker/index.ts';
import { documents, emptyFolder, startCli } from '../cli/run-cli.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { API_KEY, createWorld, eventually, planned, type World } from '../support/world.ts';

async function startWithHealth(
  world: World,
  health: ConfigInput['health'] = {},
  options: WorkerOptions = {},
): Promise<RunningWorker> {
  const worker = await createWorker(
    { ...world.config, health: { port: 0, ...health } },
    { env: { API_KEY }, logTo: { write: (line) => void world.log.push(JSON.parse(line)) }, ...options },
  );
  onTestFinished(async () => void (await worker.stop(AbortSignal.timeout(2000))));
  return worker;
}

async function ask(worker: RunningWorker, path: string, method = 'GET') {
  const answer = await fetch(`http://127.0.0.1:${worker.healthPort}${path}`, { method });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return { status: answer.status, text, body: isJson && text ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

test('a worker that takes writes is live and ready, and says so of each destination', async () => {
  const world = await createWorld();
  const worker = await startWithHealth(world);
  const destinations = {
    [world.name]: { state: 'consuming', inFlight: 0, fetchedMsAgo: expect.any(Number) as number },
  };
  expect(await ask(worker, '/livez')).toMatchObject({ status: 200, body: { live: true, destinations } });
  expect(await ask(worker, '/readyz')).toMatchObject({
    status: 200,
    body: { ready: true, worker: 'started', redis: 'answers', destinations },
  });
  await eventually(() => expect(world.log).toContainEqual(expect.objectContaining({ health_port: worker.healthPort })));
});

test('only GET and HEAD of the three paths are answered', async () => {
  const worker = await startWithHealth(await createWorld());
  expect(await ask(worker, '/livez', 'HEAD')).toMatchObject({ status: 200, text: '' });
  expect((await ask(worker, '/livez?verbose')).status).toBe(200);
  expect((await ask(worker, '/livez', 'POST')).status).toBe(405);
  expect((await ask(worker, '/')).status).toBe(404);
  expect((await ask(worker, '/livez/..%2f')).status).toBe(404);
});

test('a request that is never finished, or has huge headers, is ended', async () => {
  const worker = await startWithHealth(await createWorld());
  const said = async (text: string): Promise<string> => {
    const socket = connect(worker.healthPort ?? 0, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let answer = '';
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    socket.on('error', () => {});
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  const [slow, huge] = await Promise.all([
    said('GET /livez HTTP/1.1\r\nhost: x\r\n'),
    said(`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
  ]);
  expect(slow).toMatch(/^HTTP\/1.1 408/);
  expect(huge).toMatch(/^HTTP\/1.1 431/);
});

test('without a port nothing listens', async () => {
  const world = await createWorld();
  expect((await world.startWorker()).healthPort).toBeUndefined();
});

test('a port in use is told at once, and nothing was started', async () => {
  const world = await createWorld();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const reader = new (class extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  })();
  const metrics = new MeterProvider({ readers: [reader] });
  onTestFinished(() => metrics.shutdown());
  await expect(startWithHealth(world, { port }, { metrics })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: `health.port: cannot listen on 127.0.0.1, port ${port}: it is in use; take another port, or 0 for a free one`,
  });
  expect(await world.queue.getWorkersCount()).toBe(0);
  const { resourceMetrics } = await reader.collect();
  expect(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)).toEqual([]);
});

test('a worker that cannot start gives its port back', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const world = await createWorld();
  const impatient = new Redis(redisUrl(), { maxRetriesPerRequest: 1 });
  onTestFinished(() => impatient.disconnect());
  await expect(
    createWorker({ ...world.config, health: { port } }, { env: { API_KEY }, connection: impatient }),
  ).rejects.toThrow('maxRetriesPerRequest: null');
  await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
});

test('from the first moment of stopping it is not ready, still live while it drains, and then closed', async () => {
  const world = await createWorld();
  const worker = await startWithHealth(world);
  await world.queue.add('send', planned('slow:800'));
  await eventually(() => expect(Object.keys(world.sandbox.ledger().keys)).toHaveLength(1));
  expect(await ask(worker, '/livez')).toMatchObject({ body: { destinations: { [world.name]: { inFlight: 1 } } } });
  const stopped = worker.stop();
  expect(await ask(worker, '/readyz')).toMatchObject({ status: 503, body: { ready: false, worker: 'stopping' } });
  expect((await ask(worker, '/livez')).status).toBe(200);
  await stopped;
  await expect(ask(worker, '/livez')).rejects.toThrow();
});

test.each(['refuse', 'blackhole'] as const)(
  'while Redis is away (%s) a worker is not ready, but live: restarting it would help nobody',
  async (fault) => {
    const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(redisUrl()).port) });
    onTestFinished(() => proxy.close());
    const world = await createWorld({ workerRedisUrl: proxy.url('redis') });
    const fetchWithinMs = 1000;
    const worker = await startWithHealth(world, { fetchWithinMs });
    await eventually(async () => expect((await ask(worker, '/readyz')).status).toBe(200));
    await proxy[fault]();
    await eventually(async () =>
      expect(await ask(worker, '/readyz')).toMatchObject({ status: 503, body: { redis: 'is silent' } }),
    );
    const until = Date.now() + 3 * fetchWithinMs;
    while (Date.now() < until) {
      expect(await ask(worker, '/livez')).toMatchObject({ status: 200 });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { text } = await ask(worker, '/metrics');
    expect(text).toContain('waybill_redis_up 0\n');
    expect(text).toContain(`waybill_queue_depth{destination="${world.name}",state="waiting"} NaN\n`);
    await proxy.restore();
    await eventually(async () => expect((await ask(worker, '/readyz')).status).toBe(200));
    const { data } = await world.queue.add('send', planned());
    await world.until(data.idempotencyKey, 'delivered');
    expect(world.log.filter(({ msg }) => msg.includes('started afresh'))).toEqual([]);
  },
);

test('the command line serves it where its flag, or else the environment, says', async () => {
  const world = await createWorld();
  const cwd = await emptyFolder();
  const { redis: _redis, ...config } = world.config;
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify(config));
  const env = { REDIS_URL: redisUrl(), API_KEY, WAYBILL_HEALTH_HOST: '127.0.0.2', WAYBILL_HEALTH_PORT: '0' };
  const first = await startCli(['worker'], { cwd, env });
  await first.says('worker started');
  const { health_port } = documents(first.stdout()).find(({ msg }) => msg === 'worker started') ?? {};
  expect((await fetch(`http://127.0.0.2:${String(health_port)}/livez`)).status).toBe(200);
  const second = await startCli(['worker', '--health-port', String(health_port)], { cwd, env });
  expect(await second.ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(
      `INVALID_CONFIG: health.port: cannot listen on 127.0.0.2, port ${String(health_port)}`,
    ),
  });
  first.kill('SIGTERM');
  expect(await first.ended).toMatchObject({ code: 0 });
});

test('no credential stands in an answer', async () => {
  const admin = new Redis(redisUrl());
  const user = `health-${Date.now()}`;
  await admin.call('ACL', 'SETUSER', user, 'on', '>hunter22-health', '~*', '&*', '+@all');
  onTestFinished(async () => {
    await admin.call('ACL', 'DELUSER', user);
    admin.disconnect();
  });
  const url = new URL(redisUrl());
  url.username = user;
  url.password = 'hunter22-health';
  const world = await createWorld({ workerRedisUrl: url.href });
  const worker = await startWithHealth(world);
  const { data } = await world.queue.add('send', planned('400'));
  await world.until(data.idempotencyKey, 'dead');
  const answers = await Promise.all(['/livez', '/readyz', '/metrics'].map((path) => ask(worker, path)));
  for (const { text } of answers) expect(text).not.toMatch(new RegExp(`hunter22|${API_KEY}|${data.idempotencyKey}`));
});
