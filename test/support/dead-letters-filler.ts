// Dead letters of every kind, quickly: real writes, sent by a real worker to an API that answers each key as a test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { type AddOptions, createQueue, type WriteInput, type WriteQueue } from '../../producer/index.ts';
import { Reader } from '../../queue/reader.ts';
import { createWorker, type RunningWorker } from '../../worker/index.ts';
import { cleanUp, freshDestination, redisUrl } from './redis.ts';
import { eventually } from './world.ts';

type DestinationInput = NonNullable<ConfigInput['destinations']>[string];

/** What the API says to one send. `reset` reads the write and breaks the connection: nobody knows whether it was applied. */
export type Answer =
  | 'reset'
  | {
      status: number;
      code?: string;
      message?: string;
      details?: unknown;
      requestId?: string;
      headers?: Record<string, string>;
      /** In place of the envelope. */
      raw?: string;
    };

export interface Death {
  /** To the first send of its key, the second and so on; every later send is answered with 201. */
  answers: Answer[];
  write?: Partial<WriteInput>;
  /** One attempt, unless it says otherwise. */
  options?: AddOptions;
}

export interface Filler {
  /** As they were given, in their real names: `sms` → `sms-5f3a9c0d1e2b`. */
  readonly names: Readonly<Record<string, string>>;
  readonly reader: Reader;
  readonly config: ConfigInput;
  readonly queues: Readonly<Record<string, WriteQueue>>;
  /** What the API was sent, the oldest first. */
  readonly sent: { key: string; method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  /** What the API says to the next sends of a key; to every later one 201. */
  plan(key: string, answers: readonly Answer[]): void;
  /** Adds the writes and waits until all are dead. @returns their keys and letters, in the order given */
  die(destination: string, deaths: readonly Death[]): Promise<{ key: string; letter: string; jobId: string }[]>;
  /** The worker that die() starts goes on until this. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  close(): Promise<void>;
}

export const FILLER_API_KEY = 'filler-api-key';
const ADD_AT_ONCE = 200;

/** An envelope as the contract has it. */
export const says = (status: number, code: string, more: Partial<Exclude<Answer, 'reset'>> = {}): Answer => ({
  status,
  code,
  message: code.toLowerCase().replaceAll('_', ' '),
  ...more,
});

/** What a busy office has: rejections in groups, exhausted retries, doubts. */
export const USUAL: readonly Death[] = [
  { answers: [says(422, 'VALIDATION_ERROR', { details: { field: 'phone_number' } })] },
  { answers: [says(422, 'VALIDATION_ERROR', { details: { field: 'email' } })] },
  { answers: [says(404, 'SUBSCRIPTION_NOT_FOUND')], write: { path: '/v1/subscriptions/opt-out' } },
  { answers: [says(401, 'INVALID_API_KEY')] },
  { answers: [says(503, 'UNAVAILABLE')] },
  { answers: [says(500, 'INTERNAL_ERROR')] },
  { answers: ['reset'] },
];

/** The first `count` of the usual kinds, over and over. */
export const usual = (count: number): Death[] =>
  Array.from({ length: count }, (_, i) => USUAL[i % USUAL.length] as Death);

/** @param destinations their settings, by a name that is made unique */
export async function createFiller(destinations: Record<string, Partial<DestinationInput>>): Promise<Filler> {
  const api = await answering();
  const names = Object.fromEntries(Object.keys(destinations).map((name) => [name, freshDestination(name)]));
  const real = Object.values(names);
  const reader = await Reader.open(redisUrl());
  const queues = Object.fromEntries(
    Object.entries(names).map(([short, name]) => [short, createQueue(name, { connection: redisUrl() })]),
  );
  const config: ConfigInput = {
    redis: { url: redisUrl() },
    log: { level: 'silent' },
    worker: { lockMs: 5000, stalledIntervalMs: 1000 },
    destinations: Object.fromEntries(
      Object.entries(destinations).map(([short, more]) => [
        names[short] ?? short,
        {
          baseUrl: api.url,
          auth: { header: 'x-api-key', env: 'API_KEY' },
          timeoutMs: 5000,
          retry: { baseMs: 5, capMs: 20 },
          ...more,
        },
      ]),
    ),
  };
  let worker: RunningWorker | undefined;
  const stopWorker = async (): Promise<void> => {
    await worker?.stop(AbortSignal.timeout(2000));
    worker = undefined;
  };
  const startWorker = async (): Promise<void> => {
    worker ??= await createWorker(config, { env: { API_KEY: FILLER_API_KEY }, logTo: { write: () => {} } });
  };
  return {
    names,
    reader,
    config,
    queues,
    sent: api.sent,
    plan: (key, answers) => api.plan(key, answers),
    startWorker,
    stopWorker,
    die: async (short, deaths) => {
      const name = names[short];
      const queue = queues[short];
      if (name === undefined || !queue) throw new Error(`the filler has no destination ${short}`);
      await startWorker();
      const dead: { key: string; letter: string; jobId: string }[] = [];
      for (let from = 0; from < deaths.length; from += ADD_AT_ONCE) {
        const some = deaths.slice(from, from + ADD_AT_ONCE);
        const added = some.map(async ({ answers, write, options }) => {
          const key = write?.idempotencyKey ?? crypto.randomUUID();
          api.plan(key, answers);
          const input = { method: 'POST' as const, path: '/v1/subscriptions/opt-in', body: { n: from }, ...write };
          const { id } = await queue.add('send', { ...input, idempotencyKey: key }, { maxAttempts: 1, ...options });
          return { key, letter: `${id}.g0`, jobId: id ?? '' };
        });
        dead.push(...(await Promise.all(added)));
      }
      const deadQueue = reader.queue(name, `${name}.dead`);
      // A part after the other: asking for all of thousands again and again would be most of the work.
      for (let from = 0; from < dead.length; from += ADD_AT_ONCE) {
        const keys = dead.slice(from, from + ADD_AT_ONCE).map(({ letter }) => deadQueue.toKey(letter));
        await eventually(async () => expect(await countStanding(reader, keys)).toBe(keys.length), 60_000);
      }
      return dead;
    },
    close: async () => {
      await stopWorker();
      for (const queue of Object.values(queues)) await queue.close();
      await reader.close();
      await api.close();
      await cleanUp(real);
    },
  };
}

async function countStanding(reader: Reader, keys: readonly string[]): Promise<number> {
  const pipeline = reader.client.pipeline();
  for (const key of keys) pipeline.exists(key);
  const replies = (await pipeline.exec()) ?? [];
  return replies.filter(([, standing]) => standing === 1).length;
}

interface Answering {
  url: string;
  sent: Filler['sent'];
  plan(key: string, answers: readonly Answer[]): void;
  close(): Promise<void>;
}

async function answering(): Promise<Answering> {
  const plans = new Map<string, Answer[]>();
  const sent: Filler['sent'] = [];
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const key = String(request.headers['idempotency-key']);
      sent.push({ key, method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      say(response, plans.get(key)?.shift() ?? { status: 201, raw: '{"id":"sub_1"}' });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    plan: (key, answers) => void plans.set(key, [...answers]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function say(response: ServerResponse, answer: Answer): void {
  if (answer === 'reset') return void response.socket?.resetAndDestroy();
  const { status, code, message, details, requestId = crypto.randomUUID(), headers, raw } = answer;
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': requestId, ...headers });
  response.end(raw ?? JSON.stringify({ code, message, details, request_id: requestId }));
}
