// Server-sent events: what anybody did anywhere is told at every process of the dashboard, to whoever may hear it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import Fastify, { type FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import { createDashboard, type ResolveUser, type User } from '../../dashboard/index.ts';
import { changed, type Changed } from '../../dashboard/api/contract/events.ts';
import { putUp } from '../../dashboard/api/dashboard.ts';
import { MAX_STREAMS_OF_ONE } from '../../dashboard/api/live/events.ts';
import { openReader } from '../../dashboard/api/reader.ts';
import { createDashboardWorld, TOKENS } from '../support/dashboard-world.ts';
import { createFiller, says } from '../support/dead-letters-filler.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';

interface Stream {
  status: number;
  headers: Headers;
  /** Of every `changed` so far. */
  told: Changed[];
  /** How often it was told that Redis is away. */
  away: number;
  pings: number;
  ended: boolean;
}

async function listen(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const answer = await fetch(`${url}api/events`, { headers, signal: over.signal });
  const stream: Stream = { status: answer.status, headers: answer.headers, told: [], away: 0, pings: 0, ended: false };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
        if (name === 'ping') stream.pings += 1;
        if (name === 'away') stream.away += 1;
        if (name === 'changed') stream.told.push(changed.strict().parse(JSON.parse(data)));
      }
    }
  };
  void read()
    .catch(() => {})
    .finally(() => (stream.ended = true));
  return stream;
}

const MORE_THAN_IS_TAKEN_BYTES = 32 * 1024 * 1024;

const bearer = (role: keyof typeof TOKENS) => ({ authorization: `Bearer ${TOKENS[role]}` });

test('a death and an act are told to listeners at two servers, each once it has happened', async () => {
  const filler = await createFiller({ sms: {} });
  onTestFinished(() => filler.close());
  const name = filler.names.sms ?? '';
  const [one, other] = [await createDashboardWorld(filler.config), await createDashboardWorld(filler.config)];
  const streams = [await listen(one.url, bearer('viewer')), await listen(other.url, bearer('operator'))];
  for (const { headers } of streams) {
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
  }
  const [dead] = await filler.die('sms', [{ answers: [says(404, 'SUBSCRIPTION_NOT_FOUND')] }]);
  const last = () => streams.map(({ told }) => told.at(-1)?.destinations[name]);
  await eventually(() => {
    for (const mark of last()) expect(mark).toMatchObject({ open: 1, newestAt: expect.any(Number) as number });
  });
  await one.as('operator').post(`/api/dead-letters/${name}/${dead?.letter}/discard`, { reason: 'cancelled' });
  await eventually(() => {
    for (const mark of last()) expect(mark).toMatchObject({ open: 0, audit: expect.stringMatching(/-/) as string });
  });
});

test('a stream outlives a Redis that goes away, says so once, and tells what happened meanwhile when it is back', async () => {
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  const filler = await createFiller({ sms: {} });
  onTestFinished(async () => {
    await filler.close();
    await proxy.close();
  });
  const world = await createDashboardWorld({ redis: { url: proxy.url('redis') } });
  const stream = await listen(world.url, bearer('viewer'));
  await eventually(() => expect(stream.told.length).toBeGreaterThan(0));
  await proxy.refuse();
  await filler.die('sms', [{ answers: [says(404, 'SUBSCRIPTION_NOT_FOUND')] }]);
  await eventually(() => expect(stream.away).toBe(1), 20_000);
  const late = await listen(world.url, bearer('viewer'));
  await eventually(() => expect(late).toMatchObject({ away: 1, told: [] }));
  await proxy.restore();
  const name = filler.names.sms ?? '';
  await eventually(() => expect(stream.told.at(-1)?.destinations[name]).toMatchObject({ open: 1 }), 20_000);
  expect(stream).toMatchObject({ ended: false, away: 1 });
});

/** In an application that keeps its connections, as fastify does by itself; it is closed when the test ends. */
async function mounted(resolveUser: ResolveUser) {
  const app = Fastify() as unknown as FastifyInstance;
  const { reader, close } = openReader(redisUrl());
  onTestFinished(async () => {
    await app.close();
    await close();
  });
  await app.register((inner) =>
    putUp(inner, {
      context: { config: resolveConfig({}), version: '0', reader },
      access: { tokens: undefined, local: undefined, resolveUser },
      live: { everyMs: 50, pingMs: 50 },
    }),
  );
  return { app, url: `${await app.listen({ port: 0, host: '127.0.0.1' })}/` };
}

/** A client that never ends its connection by itself. */
async function dial(url: string): Promise<{ socket: Socket; heard: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET /api/events HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  return { socket, heard: () => heard };
}

const VERA: User = { name: 'vera', role: 'viewer' };

test('a stream ends when its reader may not be there any more, and another goes on', async () => {
  const people = new Map<string, User>([
    ['vera', VERA],
    ['otto', { name: 'otto', role: 'operator' }],
  ]);
  const { url } = await mounted(({ headers }) => people.get(String(headers['x-who'])));
  const [vera, otto] = [await listen(url, { 'x-who': 'vera' }), await listen(url, { 'x-who': 'otto' })];
  await eventually(() => expect(vera.pings).toBeGreaterThan(1));
  people.delete('vera');
  await eventually(() => expect(vera.ended).toBe(true));
  const { pings } = otto;
  await eventually(() => expect(otto.pings).toBeGreaterThan(pings + 1));
  expect(otto.ended).toBe(false);
});

test('a stream that ends takes its connection with it, whatever the other side would keep', async () => {
  let user: User | undefined = VERA;
  const { app, url } = await mounted(() => user);
  const { heard } = await dial(url);
  await eventually(() => expect(heard()).toContain('event: ping'));
  user = undefined;
  await eventually(() => expect(heard()).toMatch(/\r\n0\r\n\r\n$/));
  await eventually(async () => expect(await promisify(app.server.getConnections.bind(app.server))()).toBe(0));
});

test('a reader that left before it was known takes no place', async () => {
  const known = Promise.withResolvers<User>();
  let asked = 0;
  const { app, url } = await mounted(() => {
    asked += 1;
    return known.promise;
  });
  const early = await Promise.all(Array.from({ length: MAX_STREAMS_OF_ONE }, () => dial(url)));
  await eventually(() => expect(asked).toBe(MAX_STREAMS_OF_ONE));
  for (const { socket } of early) socket.destroy();
  await eventually(async () => expect(await promisify(app.server.getConnections.bind(app.server))()).toBe(0));
  known.resolve(VERA);
  await eventually(async () => expect(await listen(url)).toMatchObject({ status: 200 }));
});

test('open streams do not keep a server that is told to stop', async () => {
  const app = Fastify();
  const resolveUser = (): User => VERA;
  await app.register(createDashboard({ redis: { url: redisUrl() } }, { resolveUser }));
  const stream = await listen(`${await app.listen({ port: 0 })}/`);
  await eventually(() => expect(stream.told.length).toBeGreaterThan(0));
  await app.close();
  await eventually(() => expect(stream.ended).toBe(true));
});

test('nor does a stream whose reader takes nothing', async () => {
  const { app, url } = await mounted(() => VERA);
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const { socket, heard } = await dial(url);
  const [serving] = await accepted;
  await eventually(() => expect(heard()).toContain('event: ping'));
  socket.pause();
  // More than the network takes, so that the pings behind it stay with the server.
  serving.write(Buffer.alloc(MORE_THAN_IS_TAKEN_BYTES));
  const { bytesWritten } = serving;
  await eventually(() => expect(serving.bytesWritten).toBeGreaterThan(bytesWritten));
  await app.close();
});

test('nor one that is asked for while it stops', async () => {
  const known = Promise.withResolvers<User>();
  let asked = false;
  const { app, url } = await mounted(() => {
    asked = true;
    return known.promise;
  });
  const { heard } = await dial(url);
  await eventually(() => expect(asked).toBe(true));
  const closed = app.close();
  await eventually(() => expect(app.server.listening).toBe(false));
  known.resolve(VERA);
  await closed;
  expect(heard()).not.toContain('event: ping');
});
