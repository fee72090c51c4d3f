// /metrics of a real worker, read as Prometheus reads it, against what the API's own ledger says.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MeterProvider as AnyMeterProvider } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { createWorker, type RunningWorker, type WorkerOptions } from '../../worker/index.ts';
import { MAX_CODES } from '../../worker/metrics.ts';
import { watchCommands } from '../support/monitor.ts';
import { redisUrl } from '../support/redis.ts';
import { API_KEY, createWorld, eventually, planned, type World } from '../support/world.ts';

const SAMPLE =
  /^([a-z][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format 0.0.4; a line that is none fails the test. */
function parse(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const comment = /^# (HELP|TYPE|UNIT) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name = '', said = ''] = comment;
      if (kind === 'TYPE') types.set(name, said);
      if (kind === 'HELP') helps.add(name);
      continue;
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    expect(name, line).not.toBe('');
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    expect([types.has(family), helps.has(family)], line).toEqual([true, true]);
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', quoted = '']) => [
      key,
      quoted,
    ]);
    samples.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
  }
  return { samples, types };
}

async function start(
  world: World,
  options: WorkerOptions = {},
  health: ConfigInput['health'] = { port: 0 },
): Promise<RunningWorker> {
  const worker = await createWorker(
    { ...world.config, health },
    { env: { API_KEY }, logTo: { write: () => {} }, ...options },
  );
  onTestFinished(async () => void (await worker.stop(AbortSignal.timeout(2000))));
  return worker;
}

async function scrape(worker: RunningWorker) {
  const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await answer.text();
  const { samples, types } = parse(text);
  const sum = (name: string, labels: Record<string, string> = {}): number =>
    samples
      .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
      .reduce((total, { value }) => total + value, 0);
  return { text, samples, types, sum };
}

test('the counts are those of the API itself', async () => {
  const world = await createWorld();
  const worker = await start(world);
  const plans = [['ok'], ['ok'], ['503', 'ok'], ['reset-after', 'ok'], ['400'], ['422']];
  const jobs = await Promise.all(plans.map((plan) => world.queue.add('send', planned(...plan))));
  const ends = await Promise.all(jobs.map(({ data }) => world.until(data.idempotencyKey, ['delivered', 'dead'])));
  const sends = Object.values(world.sandbox.ledger().keys).flatMap((entry) => entry.sends).length;
  const { sum, types } = await scrape(worker);

  expect(sum('waybill_attempts_total')).toBe(sends);
  expect(sum('waybill_attempts_total', { disposition: 'retry' })).toBe(2);
  expect(sum('waybill_attempts_total', { outcome: 'no-answer' })).toBe(1);
  expect(sum('waybill_attempts_total', { code: 'HTTP_201', disposition: 'delivered', destination: world.name })).toBe(
    4,
  );
  expect(sum('waybill_attempts_total', { code: 'VALIDATION_ERROR', disposition: 'dead' })).toBeGreaterThan(0);
  expect(sum('waybill_attempt_duration_seconds_count')).toBe(sends);
  expect(sum('waybill_delivered_total')).toBe(4);
  expect(sum('waybill_dead_total', { reason: 'rejected' })).toBe(2);
  expect(sum('waybill_dead_total')).toBe(2);
  expect(sum('waybill_add_to_delivered_seconds_count')).toBe(4);
  expect(sum('waybill_add_to_delivered_seconds_bucket', { le: '+Inf' })).toBe(4);
  const seconds = ends.flatMap(({ delivery, enqueuedAt }) =>
    delivery ? [(delivery.deliveredAt - enqueuedAt) / 1000] : [],
  );
  expect(sum('waybill_add_to_delivered_seconds_sum')).toBeCloseTo(
    seconds.reduce((a, b) => a + b, 0),
    3,
  );
  expect(sum('waybill_queue_depth', { state: 'delivered' })).toBe(4);
  expect(sum('waybill_queue_depth', { state: 'dead' })).toBe(2);
  expect([sum('waybill_redis_up'), sum('waybill_consuming'), sum('waybill_in_flight')]).toEqual([1, 1, 0]);
  // Every metric is documented, with its type, and no other.
  const manual = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8');
  const documented = [...manual.matchAll(/^\| `(waybill_\w+)` \| (counter|gauge|histogram)/gm)];
  expect(Object.fromEntries(types)).toEqual(Object.fromEntries(documented.map(([, name, type]) => [name, type])));
});

test('counters stand at 0 before anything happened', async () => {
  const world = await createWorld();
  const { sum, samples } = await scrape(await start(world));
  for (const name of ['waybill_delivered_total', 'waybill_dead_total', 'waybill_queue_errors_total']) {
    expect(samples.some((sample) => sample.name === name && sample.labels.destination === world.name)).toBe(true);
    expect(sum(name)).toBe(0);
  }
});

test('what an API calls its codes cannot break the text, or fill the memory', async () => {
  const hostile = [
    'a"b',
    'a\nb 1\nwaybill_delivered_total 99',
    'x'.repeat(10_000),
    '{}',
    'é',
    '',
    '\\',
    'card_declined',
  ];
  const codes = [...hostile, ...Array.from({ length: MAX_CODES + 50 }, (_, i) => `CODE_${i}`)];
  let next = 0;
  const api = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: codes[next++], message: 'no', request_id: 'r' }));
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const world = await createWorld({
    baseUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    // A busy machine shall not make more attempts than there are codes.
    destination: { timeoutMs: 15_000 },
  });
  const worker = await start(world);
  await world.queue.addBulk(codes.map(() => ({ name: 'send' as const, data: planned() })));
  await eventually(async () => {
    const { sum, samples } = await scrape(worker);
    expect(sum('waybill_attempts_total')).toBe(codes.length);
    expect(sum('waybill_delivered_total')).toBe(0);
    const known = new Set(samples.flatMap(({ labels }) => labels.code ?? []));
    expect(known.size).toBe(MAX_CODES + 1);
    expect(known).toContain('card_declined');
    expect([...known].every((code) => /^[\w.-]{1,64}$/.test(code))).toBe(true);
    expect(sum('waybill_attempts_total', { code: 'other' })).toBe(codes.length - MAX_CODES);
  }, 20_000);
});

test('the depth is read from Redis, and by many scrapes at once only once', async () => {
  const world = await createWorld();
  const worker = await start(world);
  await world.queue.pause();
  for (const options of [{}, { priority: 3 }, { delay: 60_000 }]) await world.queue.add('send', planned(), options);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  let reads = 0;
  await watchCommands(redisUrl(), (command, key) => {
    reads += Number(command === 'llen' && key.endsWith(`${world.name}:wait`));
  });
  const askedAt = performance.now();
  const scrapes = await Promise.all(Array.from({ length: 20 }, () => scrape(worker)));
  for (const one of scrapes) {
    const of = (state: string): number | undefined => one.sum('waybill_queue_depth', { state });
    expect([of('waiting'), of('delayed'), of('active'), of('dead')]).toEqual([2, 1, 0, 0]);
  }
  const [first] = scrapes;
  const oldest = first?.sum('waybill_oldest_waiting_seconds') ?? 0;
  expect(oldest).toBeGreaterThan(1);
  expect(oldest).toBeLessThan(60);
  await eventually(() => expect(reads).toBeGreaterThan(0));
  // What was read is told for a second.
  expect(reads).toBeLessThanOrEqual(2 + (performance.now() - askedAt) / 1000);
});

test("an application's own meter provider gets the same, and no more once the worker has stopped", async () => {
  const world = await createWorld();
  class Reader extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const reader = new Reader();
  const metrics = new MeterProvider({ readers: [reader] });
  onTestFinished(() => metrics.shutdown());
  const worker = await start(world, { metrics }, {});
  const { data } = await world.queue.add('send', planned());
  await world.until(data.idempotencyKey, 'delivered');
  const valuesOf = async (name: string): Promise<unknown[]> => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    const found = resourceMetrics.scopeMetrics[0]?.metrics.find(({ descriptor }) => descriptor.name === name);
    return found?.dataPoints.map(({ value }) => value) ?? [];
  };
  expect(worker.healthPort).toBeUndefined();
  expect(await valuesOf('waybill_delivered')).toEqual([1]);
  expect(await valuesOf('waybill_redis_up')).toEqual([1]);
  await worker.stop();
  expect(await valuesOf('waybill_delivered')).toEqual([1]);
});

test('a meter provider that throws decides about no write', async () => {
  const world = await createWorld();
  const fail = (): never => {
    throw new Error('no metrics today');
  };
  const instrument = { add: fail, record: fail, addCallback: fail, removeCallback: fail };
  const meter = new Proxy({}, { get: (_, name) => (String(name).startsWith('create') ? () => instrument : () => {}) });
  const worker = await start(world, { metrics: { getMeter: () => meter } as unknown as AnyMeterProvider });
  const jobs = [await world.queue.add('send', planned('503')), await world.queue.add('send', planned('400'))];
  await world.until(jobs[0]?.data.idempotencyKey ?? '', 'delivered');
  await world.until(jobs[1]?.data.idempotencyKey ?? '', 'dead');
  expect((await scrape(worker)).sum('waybill_attempts_total')).toBe(3);
});
