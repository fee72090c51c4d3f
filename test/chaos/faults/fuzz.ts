// Hostile input and a hostile API. Three destinations' worth of it in one campaign: odd writes for the sandbox, which is
// healthy and whose word the judge takes; writes for an API that answers by attacks; garbage that a plain BullMQ producer
// puts into that second queue. After every 1,000 a canary has to be delivered within a second.
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { ConfigInput } from '../../../core/config.ts';
import { jobIdOf } from '../../../core/write.ts';
import { type BulkAnswer, createQueue, WaybillError, type WriteQueue } from '../../../producer/index.ts';
import { letters } from '../../../queue/dead-letters.ts';
import { prefixOf } from '../../../queue/keys.ts';
import { type Campaign, type ChaosWorker, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Fault } from '../fault.ts';
import { attackSucceeds } from '../fuzz/attacks.ts';
import { startHostileApi } from '../fuzz/hostile-api.ts';
import { drawInput, drawRaw, drawVictim, type Input } from '../fuzz/inputs.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { PLAN_OK } from '../plans.ts';
import { until } from '../until.ts';

const HOSTILE = 'hostile';
const SLICE = 50;
const CANARY_EVERY = 1000;
const CANARY_LIMIT_MS = 1000;
const CANARY_GIVEN_UP_MS = 10_000;
const ANSWER_LIMIT_MS = 10_000;
const MAX_BACKLOG = 500;
const BACKLOG_LIMIT_MS = 120_000;
const DRAIN_LIMIT_MS = 60_000;
const WORKERS = 3;
const MAX_SAMPLES = 10;
/** What core/envelope.ts promises of the texts of an API. */
const MAX_CODE = 128;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const INTRINSICS = Object.getOwnPropertyNames(Object.prototype).toSorted().join();

interface State {
  broken: string[];
  /** By key, as they were added. */
  paths: Map<string, string>;
  /** By job id. */
  victims: Map<string, string>;
  rawIds: Set<string>;
  canariesMs: number[];
  counts: Record<string, number>;
}
const states = new WeakMap<Campaign, State>();

export const fuzz: Fault = {
  name: 'fuzz',
  title: 'hostile input: keys, headers, paths, bodies, options, raw jobs, answers of the API',
  published: 100_000,
  batch: 20_000,
  slice: 0,
  // Its own workers know both destinations. Nobody dies here, and a busy machine shall not look as if somebody did.
  options: () => ({ workers: 0, worker: { lockMs: 10_000, stalledIntervalMs: 2000 } }),
  inject: async (campaign, amount) => {
    const state: State = {
      broken: [],
      paths: new Map(),
      victims: new Map(),
      rawIds: new Set(),
      canariesMs: [],
      counts: {},
    };
    states.set(campaign, state);
    const api = await startHostileApi();
    campaign.defer(() => api.close());
    const hostile = createQueue(HOSTILE, { connection: campaign.redisSettings });
    campaign.defer(() => hostile.close());
    const client = new Redis(campaign.redis?.url ?? '');
    const plain = new Queue(HOSTILE, { connection: client, prefix: prefixOf(HOSTILE) });
    campaign.defer(async () => {
      await plain.close();
      client.disconnect();
    });
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(campaign, api.url)));

    const began = performance.now();
    const random = campaign.chance.fork('inputs');
    for (let done = 0; done < amount; done += SLICE) {
      await addSlice(campaign, state, hostile, { plain, client }, random, done, Math.min(SLICE, amount - done));
      if ((done + SLICE) % CANARY_EVERY === 0 || done + SLICE >= amount) await sendCanary(campaign, state);
      await until(
        'the hostile backlog shrinks',
        async () => (await waiting(hostile)) < MAX_BACKLOG,
        BACKLOG_LIMIT_MS,
        5,
      );
    }
    const addedS = (performance.now() - began) / 1000;
    await until('all hostile writes have ended', async () => (await open(hostile)) === 0, DRAIN_LIMIT_MS, 50).catch(
      async () => {
        const left = await hostile.getRanges(['wait', 'active', 'delayed', 'prioritized'], 0, MAX_SAMPLES);
        state.broken.push(
          `the hostile destination is not drained, left are ${left.map((id) => JSON.stringify(id)).join(', ')}`,
        );
      },
    );
    await sendCanary(campaign, state);
    for (const worker of workers) {
      if (!worker.alive) state.broken.push('a worker has ended');
      else if ((await intrinsicsOf(worker)) !== INTRINSICS)
        state.broken.push("a worker's Object.prototype was changed");
    }
    if (Object.getOwnPropertyNames(Object.prototype).toSorted().join() !== INTRINSICS)
      state.broken.push("the producer's Object.prototype was changed");
    state.broken.push(...api.odd.map((line) => `the API has read a request that nobody sent: ${JSON.stringify(line)}`));
    Object.assign(campaign.figures, {
      'inputs a second': Math.round(amount / addedS),
      'canaries, the longest ms': Math.round(Math.max(...state.canariesMs)),
      ...state.counts,
      'requests at the hostile API': api.requests,
    });
    return amount;
  },
  extra: async (campaign) => {
    const { broken, paths, victims, rawIds } = states.get(campaign) ?? {};
    if (!broken || !paths || !victims || !rawIds) return ['nothing was injected'];
    for (const [key, path] of paths) {
      const other = campaign.sandbox.entry(key)?.sends.find((send) => send.path !== path);
      if (other)
        broken.push(`${JSON.stringify(key)} went to ${JSON.stringify(other.path)} in place of ${JSON.stringify(path)}`);
    }
    const { client } = campaign.reader;
    const queue = campaign.reader.queue(HOSTILE);
    const delivered = new Set(await client.zrange(queue.toKey('completed'), '0', '-1'));
    const dead = new Set(await client.zrange(queue.toKey('failed'), '0', '-1'));
    for (const id of [...victims.keys(), ...rawIds]) {
      if (Number(delivered.has(id)) + Number(dead.has(id)) !== 1)
        broken.push(
          `job ${JSON.stringify(id)} (${victims.get(id) ?? 'raw'}) is not in one end: delivered ${delivered.has(id)}, dead ${dead.has(id)}, holds ${JSON.stringify(await client.hgetall(queue.toKey(id))).slice(0, 600)}`,
        );
    }
    for (const [id, attack] of victims)
      if (delivered.has(id) && !attackSucceeds(attack)) broken.push(`${attack} was taken for success`);
    let filed = 0;
    for (const destination of [DESTINATION, HOSTILE]) {
      for await (const letter of letters(campaign.reader, destination)) {
        filed += 1;
        if ('unreadable' in letter)
          broken.push(`letter ${JSON.stringify(letter.id)} cannot be read: ${letter.unreadable}`);
        else if (
          !isTame(letter.envelope?.code, MAX_CODE) ||
          !isTame(letter.envelope?.message) ||
          !isTame(letter.requestId)
        )
          broken.push(
            `letter ${letter.id} holds text that is not tame: ${JSON.stringify(letter.envelope).slice(0, 200)}`,
          );
      }
    }
    campaign.figures['dead letters read'] = filed;
    broken.push(...(await oddLines(campaign)));
    return [
      ...broken.slice(0, MAX_SAMPLES),
      ...(broken.length > MAX_SAMPLES ? [`and ${broken.length - MAX_SAMPLES} more`] : []),
    ];
  },
};

const isTame = (text: string | undefined, maxLength = Infinity): boolean =>
  text === undefined || (text.length <= maxLength && !CONTROL.test(text));

async function startWorker(campaign: Campaign, hostileUrl: string): Promise<ChaosWorker> {
  const config = campaign.config();
  const both: ConfigInput = {
    ...config,
    destinations: {
      ...config.destinations,
      [HOSTILE]: {
        baseUrl: hostileUrl,
        auth: { header: 'x-api-key', env: 'CHAOS_API_KEY' },
        timeoutMs: 250,
        concurrency: 40,
        retry: { maxAttempts: 2, baseMs: 2, capMs: 4, retryAfterCapMs: 20 },
      },
    },
  };
  return campaign.startWorker({
    env: { CHAOS_CONFIG: JSON.stringify(both) },
    execArgv: ['--import', new URL('../fuzz/watch-intrinsics.ts', import.meta.url).href],
  });
}

/** 45 % odd writes, 35 % writes for the hostile API, 20 % garbage. */
async function addSlice(
  campaign: Campaign,
  state: State,
  hostile: WriteQueue,
  { plain, client }: { plain: Queue; client: Redis },
  random: Chance,
  from: number,
  count: number,
): Promise<void> {
  const odd: Input[] = [];
  const victims: { attack: string; input: Input }[] = [];
  const raw: Promise<void>[] = [];
  for (let serial = from; serial < from + count; serial += 1) {
    const kind = random.next();
    if (kind < 0.45) odd.push(drawInput(random, serial));
    else if (kind < 0.8) victims.push(drawVictim(random, serial));
    else raw.push(addRaw(state, plain, client, random, serial));
  }
  await Promise.all(raw);
  for (const [i, answer] of (
    await addAll(
      state,
      hostile,
      victims.map(({ input }) => input),
    )
  ).entries()) {
    if ('job' in answer) state.victims.set(answer.job.id ?? '', victims[i]?.attack ?? '');
    else state.broken.push(`a victim was refused: ${answer.error.message}`);
  }
  for (const answer of await addAll(state, campaign.queue, odd)) {
    if (!('job' in answer)) continue;
    const { idempotencyKey, path } = answer.job.data;
    const entry = campaign.ledger.intend(idempotencyKey, PLAN_OK);
    // What the sandbox thinks of it is its own affair.
    entry.endings = ['delivered', 'dead'];
    entry.acknowledged = true;
    if (answer.status === 'queued') state.paths.set(idempotencyKey, path);
  }
}

/** Every one is answered by a job or by a WaybillError with a code, in time. */
async function addAll(state: State, queue: WriteQueue, inputs: readonly Input[]): Promise<BulkAnswer[]> {
  const late = new AbortController();
  const limit = sleep(ANSWER_LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no answer within ${ANSWER_LIMIT_MS} ms`);
  });
  limit.catch(() => {});
  try {
    const answers: BulkAnswer[] = await Promise.race([queue.addBulk(inputs as never), limit]);
    answers.forEach((answer, i) => {
      const what =
        'job' in answer ? answer.status : answer.error instanceof WaybillError ? answer.error.code : 'no code';
      state.counts[what] = (state.counts[what] ?? 0) + 1;
      if (what === 'no code') state.broken.push(`answered without a code: ${describe(inputs[i])}`);
    });
    return answers;
  } catch (error) {
    state.broken.push(`addBulk threw ${String(error)} for one of ${inputs.map(describe).join(' ').slice(0, 2000)}`);
    return [];
  } finally {
    late.abort();
  }
}

async function addRaw(state: State, plain: Queue, client: Redis, random: Chance, serial: number): Promise<void> {
  const { name, data, opts, text, fields } = drawRaw(random, serial);
  try {
    const { id = '' } = await plain.add(name, data, opts);
    state.rawIds.add(id);
    if (text !== undefined) await client.hset(plain.toKey(id), 'data', text);
    if (fields) await client.hset(plain.toKey(id), fields);
    state.counts['raw jobs'] = (state.counts['raw jobs'] ?? 0) + 1;
  } catch {
    state.counts['raw jobs that BullMQ refuses'] = (state.counts['raw jobs that BullMQ refuses'] ?? 0) + 1;
  }
}

const describe = (input: unknown): string => {
  try {
    return JSON.stringify(input).slice(0, 300);
  } catch {
    return 'something that has no JSON';
  }
};

/** Slow twice in a row is a wedge; slow once is a machine that others use too. */
async function sendCanary(campaign: Campaign, state: State): Promise<void> {
  const first = await canaryMs(campaign);
  state.canariesMs.push(first);
  if (first <= CANARY_LIMIT_MS) return;
  const second = await canaryMs(campaign);
  state.canariesMs.push(second);
  if (second > CANARY_LIMIT_MS)
    state.broken.push(`two canaries took ${Math.round(first)} and ${Math.round(second)} ms`);
}

async function canaryMs(campaign: Campaign): Promise<number> {
  const entry = campaign.ledger.intend(uuid(campaign.chance), PLAN_OK);
  const key = campaign.reader.queue(DESTINATION).toKey('completed');
  const began = performance.now();
  await addUntilAcknowledged(campaign.queue, campaign.ledger, [entry]);
  const isDelivered = async (): Promise<boolean> =>
    (await campaign.reader.client.zscore(key, jobIdOf(entry.key))) !== null;
  await until('the canary is delivered', isDelivered, CANARY_GIVEN_UP_MS, 2).catch(() => {});
  return performance.now() - began;
}

async function intrinsicsOf(worker: ChaosWorker): Promise<string> {
  const told = new Promise<string>((resolve) =>
    worker.onMessage((message) => {
      if (typeof message === 'object' && message && 'intrinsics' in message) resolve(String(message.intrinsics));
    }),
  );
  worker.send({ ask: 'intrinsics' });
  return Promise.race([told, sleep(ANSWER_LIMIT_MS, 'silent', { ref: false })]);
}

const waiting = async (queue: WriteQueue): Promise<number> =>
  Object.values(await queue.getJobCounts('wait', 'prioritized')).reduce((sum, count) => sum + count, 0);

const open = async (queue: WriteQueue): Promise<number> =>
  Object.values(await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')).reduce(
    (sum, count) => sum + count,
    0,
  );

/** Lines that are none of the log's own, and what it says of the queue. */
async function oddLines(campaign: Campaign): Promise<string[]> {
  let queueErrors = 0;
  const odd = (await campaign.logLines()).filter((line) => {
    if (!line.startsWith('{"level":')) return true;
    if (line.includes('"msg":"queue error"')) queueErrors += 1 + Number(/"held_back":(\d+)/.exec(line)?.[1] ?? 0);
    return /unhandled|uncaught/i.test(line);
  });
  campaign.figures['queue errors logged'] = queueErrors;
  return odd.slice(0, MAX_SAMPLES).map((line) => `a worker printed ${JSON.stringify(line.slice(0, 300))}`);
}
