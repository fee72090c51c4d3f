// All that each role does in Redis: what an application, a worker, a reader and an operator ever ask of it.
import { expect, onTestFinished } from 'vitest';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { createSandbox } from '../../dev/testing.ts';
import { createQueue } from '../../producer/index.ts';
import { audit } from '../../queue/acts.ts';
import { countLetters, letters } from '../../queue/dead-letters.ts';
import { examineRedis } from '../../queue/doctor.ts';
import { find } from '../../queue/find.ts';
import { findDelivered } from '../../queue/find-delivered.ts';
import { groupsOf } from '../../queue/groups.ts';
import { discard, replay, restore } from '../../queue/operate.ts';
import { overviewOf } from '../../queue/overview.ts';
import { pauseDestination, resumeDestination } from '../../queue/pause.ts';
import { Reader } from '../../queue/reader.ts';
import { reindex } from '../../queue/reindex.ts';
import { status } from '../../queue/status.ts';
import { whatIfOf } from '../../queue/what-if.ts';
import { createWorker } from '../../worker/index.ts';
import { API_KEY, eventually, planned } from './world.ts';

/** What each of them is to do, in this order; those that follow find what those before have left. */
export interface Story {
  readonly name: string;
  readonly keys: { delivered: string[]; dead: string[] };
}

export async function produce(redis: RedisSettings, story: Story): Promise<void> {
  const queue = createQueue(story.name, { connection: redis });
  onTestFinished(() => queue.close());
  const add = async (plan: string[], options = {}) => (await queue.add('send', planned(...plan), options)).data;
  story.keys.delivered.push((await add(['503', 'ok'])).idempotencyKey);
  story.keys.delivered.push((await add(['in-progress', 'ok'])).idempotencyKey);
  // Two at once, so that the second one is placed behind the first.
  const delayed = await Promise.all([add(['ok'], { delay: 200 }), add(['ok'], { delay: 200 })]);
  story.keys.delivered.push(...delayed.map(({ idempotencyKey }) => idempotencyKey));
  story.keys.delivered.push((await add(['ok'], { priority: 5 })).idempotencyKey);
  for (let i = 0; i < 3; i += 1) story.keys.dead.push((await add(['422'])).idempotencyKey);
  const idempotencyKey = story.keys.dead[0] ?? '';
  expect(await queue.add('send', planned('422'), { idempotencyKey })).toMatchObject({ duplicate: true });
  await expect(queue.add('send', planned('ok'), { idempotencyKey })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  const bulk = await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'send', data: planned() })));
  expect(bulk.map((answer) => answer.status)).toEqual(['queued', 'queued', 'queued']);
  story.keys.delivered.push(...bulk.flatMap((answer) => ('job' in answer ? answer.job.data.idempotencyKey : [])));
}

export async function work(redis: RedisSettings, story: Story): Promise<void> {
  const sandbox = await createSandbox({ apiKey: API_KEY });
  onTestFinished(() => sandbox.close());
  const trouble: string[] = [];
  const told = new Set<string | undefined>();
  const worker = await createWorker(
    {
      log: { level: 'warn' },
      health: { port: 0 },
      worker: { lockMs: 1000, stalledIntervalMs: 300, retentionIntervalMs: 100 },
      destinations: {
        [story.name]: {
          baseUrl: sandbox.url,
          auth: { header: 'x-api-key', env: 'API_KEY' },
          retry: { baseMs: 20, capMs: 100 },
        },
      },
    },
    {
      connection: redis,
      env: { API_KEY },
      logTo: { write: (line) => void (/queue error|NOPERM/.test(line) && trouble.push(line)) },
      onSettled: ({ idempotencyKey }) => void told.add(idempotencyKey),
    },
  );
  try {
    const all = [...story.keys.delivered, ...story.keys.dead];
    await eventually(() => expect(all.filter((key) => !told.has(key))).toEqual([]));
    for (const path of ['/readyz', '/metrics']) {
      const answer = await fetch(`http://127.0.0.1:${worker.healthPort}${path}`);
      expect(answer.status).toBe(200);
      if (path === '/metrics') expect(await answer.text()).toContain('waybill_redis_up 1');
    }
    // A round of retention, and of looking for what has stalled.
    await new Promise((resolve) => setTimeout(resolve, 600));
  } finally {
    await worker.stop(AbortSignal.timeout(2000));
  }
  expect(trouble).toEqual([]);
}

export async function awaitEnds(redis: RedisSettings, { name, keys }: Story): Promise<void> {
  const queue = createQueue(name, { connection: redis });
  onTestFinished(() => queue.close());
  expect(await queue.waitFor(keys.delivered[0] ?? '')).toMatchObject({ state: 'delivered' });
  expect(await queue.waitFor(keys.dead[0] ?? '')).toMatchObject({ state: 'dead' });
}

export async function read(redis: RedisSettings, { name, keys }: Story): Promise<void> {
  const reader = await Reader.open(redis);
  try {
    const [row] = await status(reader, name);
    expect(row).toMatchObject({ destination: name, delivered: keys.delivered.length });
    expect(row?.tombstoneBytes).toBeGreaterThan(0);
    const { destinations, redis: held } = await overviewOf(reader, undefined, { minutes: 5, only: name });
    expect(destinations[0]?.minutes.some((minute) => minute.dead > 0)).toBe(true);
    expect(held.usedBytes).toBeGreaterThan(0);
    expect(await whatIfOf(reader, undefined, { destination: name, policy: { maxAttempts: 1 } })).toMatchObject({
      eligible: 0,
    });
    const [delivered] = await find(reader, keys.delivered[0] ?? '');
    expect(delivered?.state).toBe('delivered');
    expect((await findDelivered(reader, delivered?.requestIds.at(-1) ?? '')).found).toHaveLength(1);
    const dead = await Array.fromAsync(letters(reader, name, { first: 'newest' }));
    expect(dead.length).toBe(row?.dead);
    expect(await Array.fromAsync(letters(reader, name))).toHaveLength(dead.length);
    const spark = { from: Date.now() - 60_000, stepMs: 1000, slices: 60 };
    expect((await groupsOf(reader, name, { spark })).groups).not.toEqual([]);
    expect(await countLetters(reader, name, { filter: { status: 422 } })).toEqual({
      count: dead.length,
      atLeast: false,
    });
    // Neither waiting nor anywhere else: every place is looked at.
    expect(await find(reader, 'a-key-that-nobody-added')).toEqual([]);
    expect(await find(reader, dead[0]?.journal?.attempts[0]?.requestId ?? '')).toHaveLength(1);
    expect(await Array.fromAsync(audit(reader, name))).toBeInstanceOf(Array);
    const findings = await Array.fromAsync(examineRedis(reader, []));
    expect(findings.filter(({ found }) => found.includes('NOPERM'))).toEqual([]);
  } finally {
    await reader.close();
  }
}

export async function operate(redis: RedisSettings, { name }: Story): Promise<void> {
  const reader = await Reader.open(redis);
  try {
    const who = { by: 'a test', reason: 'to see whether it may' };
    const [first, second, third] = await Array.fromAsync(letters(reader, name));
    await replay(reader, name, first?.id ?? '', who);
    await replay(reader, name, second?.id ?? '', who, { newKey: true });
    await discard(reader, name, third?.id ?? '', who);
    await restore(reader, name, third?.id ?? '', who);
    expect(await pauseDestination(reader, name, who)).toMatchObject({ changed: true });
    expect(await resumeDestination(reader, name, who)).toMatchObject({ changed: true });
    expect(await Array.fromAsync(audit(reader, name))).toHaveLength(6);
    expect((await find(reader, first?.jobId ?? ''))[0]?.state).toBe('waiting');
    expect(await reindex(reader, name)).toMatchObject({ removed: 0, added: 0 });
  } finally {
    await reader.close();
  }
}
