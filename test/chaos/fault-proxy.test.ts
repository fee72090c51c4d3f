// The proxy that tells one exchange from the next: campaigns stand on its faults being what they say. Each is shown on
// bytes, on a Redis connection and on an HTTP one.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ExchangeProxy, type Fault, startFaultProxy } from '../support/fault-proxy.ts';
import { framer } from '../support/framing.ts';
import { redisUrl } from '../support/redis.ts';

const SILENCE_MS = 60;

const portOf = (server: Server): number => (server.address() as { port: number }).port;

let echo: Server;
let api: Server;
let served = '';
let posted = 0;
/** Requests that came whole. */
let read = 0;
beforeAll(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      served += bytes.toString();
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  api = createHttpServer((incoming, response) => {
    posted += 1;
    incoming.resume().on('end', () => {
      read += 1;
      response.end('the answer');
    });
  }).listen(0, '127.0.0.1');
  await Promise.all([once(echo, 'listening'), once(api, 'listening')]);
});
afterAll(() => {
  echo.close();
  api.close();
});

async function bytesThrough(): Promise<{ proxy: ExchangeProxy; dial: () => ReturnType<typeof dialTo> }> {
  served = '';
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: portOf(echo) });
  onTestFinished(() => proxy.close());
  return { proxy, dial: () => dialTo(proxy.port) };
}

function dialTo(port: number) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const client = { socket, received: '', failure: '', closed: new Promise((end) => socket.once('close', end)) };
  socket.on('data', (bytes: Buffer) => (client.received += bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (client.failure = error.code ?? error.message));
  return client;
}

async function redisThrough(): Promise<{
  proxy: ExchangeProxy;
  redis: Redis;
  key: string;
  ready: () => Promise<void>;
}> {
  const real = new URL(redisUrl());
  const proxy = await startFaultProxy({ host: real.hostname, port: Number(real.port || 6379) }, 'resp');
  real.host = `127.0.0.1:${proxy.port}`;
  const redis = new Redis(real.href, { maxRetriesPerRequest: 0, retryStrategy: () => 5 });
  redis.on('error', () => {});
  const key = `fault-proxy-${Math.random()}`;
  onTestFinished(async () => {
    await redis.del(key).catch(() => {});
    redis.disconnect();
    await proxy.close();
  });
  const ready = (): Promise<void> => expect.poll(() => redis.status, { interval: 2 }).toBe('ready');
  await ready();
  return { proxy, redis, key, ready };
}

async function httpThrough(): Promise<{ proxy: ExchangeProxy; post: () => Promise<string> }> {
  [posted, read] = [0, 0];
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: portOf(api) }, 'http');
  const dispatcher = new Agent({ connections: 1 });
  onTestFinished(async () => {
    await dispatcher.destroy();
    await proxy.close();
  });
  const post = (): Promise<string> =>
    request(proxy.url('http', '/'), { method: 'POST', body: '{"a":1}', dispatcher }).then(
      ({ body }) => body.text(),
      (error: NodeJS.ErrnoException) => Promise.reject(new Error(error.code ?? error.message)),
    );
  return { proxy, post };
}

/** The next exchange alone, or the next that says so. */
function hitOnce(proxy: ExchangeProxy, fault: Fault, where = ''): void {
  proxy.plan((asked) => {
    if (!asked.includes(where)) return undefined;
    proxy.plan(undefined);
    return fault;
  });
}

const seen = (what: () => string, text: string) => expect.poll(what, { interval: 2 }).toBe(text);

describe('bytes', () => {
  test('refuse resets the connections there are and refuses new ones, and heal listens again', async () => {
    const { proxy, dial } = await bytesThrough();
    const open = dial();
    open.socket.write('1');
    await seen(() => open.received, '1');
    await proxy.refuse();
    await open.closed;
    const refused = dial();
    await refused.closed;
    expect([open.failure, refused.failure]).toEqual(['ECONNRESET', 'ECONNREFUSED']);
    await proxy.heal();
    const healed = dial();
    healed.socket.write('2');
    await seen(() => healed.received, '2');
  });

  test('a black hole before all accepts and passes nothing, and heal lets the bytes pass', async () => {
    const { proxy, dial } = await bytesThrough();
    proxy.blackHole();
    const client = dial();
    await once(client.socket, 'connect');
    client.socket.write('1');
    await sleep(SILENCE_MS);
    expect([served, client.received]).toEqual(['', '']);
    await proxy.heal();
    await seen(() => client.received, '1');
  });

  test('a black hole on one exchange silences its connection alone', async () => {
    const { proxy, dial } = await bytesThrough();
    const [client, other] = [dial(), dial()];
    hitOnce(proxy, { mode: 'black-hole', from: 'request' }, '1');
    client.socket.write('1');
    await expect.poll(() => proxy.hits('black-hole')).toBe(1);
    client.socket.write('2');
    other.socket.write('3');
    await seen(() => other.received, '3');
    expect([served, client.received, client.failure, proxy.forgotten()]).toEqual(['3', '', '', 1]);
    await proxy.heal();
    expect(proxy.forgotten()).toBe(1);
    client.socket.destroy();
    await expect.poll(() => proxy.forgotten()).toBe(0);
  });

  test('a black hole from a reply on lets its request through, and silences the connection', async () => {
    const { proxy, dial } = await bytesThrough();
    const client = dial();
    hitOnce(proxy, { mode: 'black-hole', from: 'reply' }, '1');
    client.socket.write('1');
    await expect.poll(() => proxy.hits('black-hole')).toBe(1);
    client.socket.write('2');
    await sleep(SILENCE_MS);
    expect([served, client.received, client.failure, proxy.forgotten()]).toEqual(['1', '', '', 1]);
  });

  test.each(['FIN', 'RST'] as const)(
    'a request that is cut off goes on in part, and nothing behind it, by %s',
    async (by) => {
      const { proxy, dial } = await bytesThrough();
      hitOnce(proxy, { mode: 'cut-request', bytes: () => 3, by });
      const client = dial();
      client.socket.write('12345');
      await once(client.socket, 'connect');
      client.socket.write('67');
      await client.closed;
      expect([served, client.failure]).toEqual(['123', by === 'RST' ? 'ECONNRESET' : '']);
    },
  );

  test('a request that is cut off may leave a connection that passes nothing more', async () => {
    const { proxy, dial } = await bytesThrough();
    hitOnce(proxy, { mode: 'cut-request', bytes: () => 100, by: 'silence' });
    const client = dial();
    client.socket.write('12345');
    await seen(() => served, '1234');
    client.socket.write('6');
    await sleep(SILENCE_MS);
    expect([served, client.received, client.failure, proxy.forgotten()]).toEqual(['1234', '', '', 1]);
  });

  test('a reset before the reply lets the request through and nothing back', async () => {
    const { proxy, dial } = await bytesThrough();
    hitOnce(proxy, { mode: 'reset-before' });
    const client = dial();
    client.socket.write('1');
    await client.closed;
    expect([served, client.received, client.failure]).toEqual(['1', '', 'ECONNRESET']);
  });

  test('a reset after the reply loses none of it', async () => {
    const { proxy, dial } = await bytesThrough();
    for (let i = 0; i < 20; i += 1) {
      hitOnce(proxy, { mode: 'reset-after' });
      const client = dial();
      client.socket.write('12345');
      await client.closed;
      expect([client.received, client.failure]).toEqual(['12345', 'ECONNRESET']);
    }
    expect(proxy.hits('reset-after')).toBe(20);
  });

  test('a delay holds both ways, in order', async () => {
    const { proxy, dial } = await bytesThrough();
    const waits = [60, 20, 1, 1];
    proxy.plan(() => ({ mode: 'delay', ms: () => waits.shift() ?? 0 }));
    const client = dial();
    const began = performance.now();
    client.socket.write('1');
    await sleep(10);
    client.socket.write('2');
    await seen(() => client.received, '12');
    expect(performance.now() - began).toBeGreaterThanOrEqual(60);
  });

  test.each(['FIN', 'RST'] as const)('a truncated reply ends after so many bytes, by %s', async (by) => {
    const { proxy, dial } = await bytesThrough();
    hitOnce(proxy, { mode: 'truncate', bytes: 3, by });
    const client = dial();
    client.socket.write('12345');
    await client.closed;
    expect([served, client.received, client.failure]).toEqual(['12345', '123', by === 'RST' ? 'ECONNRESET' : '']);
  });

  test('a truncated reply that is short lacks its last byte', async () => {
    const { proxy, dial } = await bytesThrough();
    hitOnce(proxy, { mode: 'truncate', bytes: 100, by: 'FIN' });
    const client = dial();
    client.socket.write('12345');
    await client.closed;
    expect(client.received).toBe('1234');
  });

  test('a drip passes byte by byte', async () => {
    const { proxy, dial } = await bytesThrough();
    hitOnce(proxy, { mode: 'drip', everyMs: 3 });
    const client = dial();
    const chunks: number[] = [];
    client.socket.on('data', (bytes: Buffer) => chunks.push(bytes.length));
    client.socket.write('12345');
    await seen(() => client.received, '12345');
    expect(chunks.length).toBeGreaterThan(1);
  });

  test('a client that has said its last words still gets the reply', async () => {
    const { dial } = await bytesThrough();
    const client = dial();
    client.socket.end('last words');
    await client.closed;
    expect(client).toMatchObject({ received: 'last words', failure: '' });
  });
});

describe('Redis', () => {
  test.each<[string, Fault]>([
    ['a reset before the reply', { mode: 'reset-before' }],
    ['a reply cut off', { mode: 'truncate', bytes: 1, by: 'RST' }],
    ['a reply closed', { mode: 'truncate', bytes: 1, by: 'FIN' }],
  ])('%s: the command was carried out, its caller does not know', async (_name, fault) => {
    const { proxy, redis, key, ready } = await redisThrough();
    hitOnce(proxy, fault, 'incr');
    // What was asked in one packet before it keeps its reply.
    const [before, hit] = await Promise.allSettled([redis.rpush(`${key}:list`, 'a'), redis.incr(key)]);
    expect([before.status, hit.status]).toEqual(['fulfilled', 'rejected']);
    await ready();
    expect(await redis.get(key)).toBe('1');
    await redis.del(`${key}:list`);
  });

  test('a reset after the reply, a delay and a drip lose nothing', async () => {
    const { proxy, redis, key } = await redisThrough();
    for (const fault of [
      { mode: 'reset-after' },
      { mode: 'delay', ms: () => 10 },
      { mode: 'drip', everyMs: 1 },
    ] as Fault[]) {
      hitOnce(proxy, fault, 'set');
      expect(await redis.set(key, fault.mode, 'GET')).toBeDefined();
      expect(proxy.hits(fault.mode)).toBe(1);
      await expect.poll(() => redis.ping().catch(() => 'reset'), { interval: 2 }).toBe('PONG');
    }
    expect(await redis.get(key)).toBe('drip');
  });

  test('a client that waits for news is hit when news come, and they are lost', async () => {
    const { proxy, redis, key } = await redisThrough();
    const id = await redis.client('ID');
    hitOnce(proxy, { mode: 'reset-before' }, 'bzpopmin');
    const waiting = expect(redis.bzpopmin(key, 15)).rejects.toThrow();
    const other = new Redis(redisUrl());
    onTestFinished(() => other.disconnect());
    // Others wait at the same Redis too.
    await expect.poll(() => other.call('CLIENT', 'LIST', 'ID', id), { timeout: 4000 }).toContain('flags=b');
    await other.zadd(key, 1, 'member');
    await waiting;
    expect(await other.zcard(key)).toBe(0);
  });

  test.each(['FIN', 'RST'] as const)(
    'a command that is cut off by %s is not carried out, those before it are',
    async (by) => {
      const { proxy, redis, key, ready } = await redisThrough();
      hitOnce(proxy, { mode: 'cut-request', bytes: ({ length }) => Math.floor(length / 2), by }, 'incr');
      const asked = [redis.rpush(`${key}:list`, 'a'), redis.incr(key), redis.rpush(`${key}:list`, 'b')];
      const [, hit, behind] = await Promise.allSettled(asked);
      expect([hit?.status, behind?.status]).toEqual(['rejected', 'rejected']);
      await ready();
      expect([await redis.get(key), await redis.lrange(`${key}:list`, 0, -1)]).toEqual([null, ['a']]);
      await redis.del(`${key}:list`);
    },
  );

  test('a command in a black hole waits, and was not carried out', async () => {
    const { proxy, redis, key, ready } = await redisThrough();
    hitOnce(proxy, { mode: 'black-hole', from: 'request' }, 'incr');
    const waiting = redis.incr(key).catch(() => 'given up');
    await sleep(SILENCE_MS);
    redis.disconnect(true);
    expect(await waiting).toBe('given up');
    await ready();
    expect(await redis.get(key)).toBeNull();
  });
});

describe('HTTP', () => {
  test.each<[string, Fault, string]>([
    ['a reset before the answer', { mode: 'reset-before' }, 'ECONNRESET|UND_ERR_SOCKET'],
    ['an answer cut off', { mode: 'truncate', bytes: 20, by: 'RST' }, 'ECONNRESET|UND_ERR_SOCKET'],
    ['an answer closed', { mode: 'truncate', bytes: 20, by: 'FIN' }, 'UND_ERR_SOCKET'],
  ])('%s: the API has it, the client does not know', async (_name, fault, code) => {
    const { proxy, post } = await httpThrough();
    expect(await post()).toBe('the answer');
    hitOnce(proxy, fault);
    await expect(post()).rejects.toThrow(new RegExp(code));
    expect(posted).toBe(2);
    expect(await post()).toBe('the answer');
  });

  test('a reset after the answer, a delay and a drip lose nothing', async () => {
    const { proxy, post } = await httpThrough();
    for (const fault of [
      { mode: 'reset-after' },
      { mode: 'delay', ms: () => 10 },
      { mode: 'drip', everyMs: 1 },
    ] as Fault[]) {
      hitOnce(proxy, fault);
      expect(await post()).toBe('the answer');
      // A request that meets the reset is another one's trouble.
      await expect.poll(() => post().catch(() => 'reset'), { interval: 2 }).toBe('the answer');
    }
    expect(proxy.hits()).toBe(3);
  });

  test.each(['FIN', 'RST'] as const)(
    'a body that is cut off by %s never comes to the API as a whole one',
    async (by) => {
      const { proxy, post } = await httpThrough();
      expect(await post()).toBe('the answer');
      hitOnce(proxy, { mode: 'cut-request', bytes: ({ length }) => length - 3, by });
      await expect(post()).rejects.toThrow(/ECONNRESET|UND_ERR_SOCKET/);
      expect(read).toBe(1);
      expect(await post()).toBe('the answer');
    },
  );

  test('a black hole keeps the request from the API', async () => {
    const { proxy, post } = await httpThrough();
    hitOnce(proxy, { mode: 'black-hole', from: 'request' });
    const waiting = post().catch(() => 'reset');
    await sleep(SILENCE_MS);
    expect(posted).toBe(0);
    await proxy.close();
    expect(await waiting).toBe('reset');
  });
});

describe('where messages end', () => {
  const cut = (framing: 'resp' | 'http', stream: string, size: number): string[] => {
    const next = framer(framing);
    const messages: string[] = [];
    let open = '';
    for (let at = 0; at < stream.length; at += size)
      for (const { bytes, ends } of next(Buffer.from(stream.slice(at, at + size), 'latin1'))) {
        open += bytes.toString('latin1');
        if (ends) messages.push(open);
        if (ends) open = '';
      }
    return open === '' ? messages : [...messages, `open: ${open}`];
  };

  test.each([1, 3, 1000])('is found in chunks of %i bytes', (size) => {
    const resp = [
      '+OK\r\n',
      '$3\r\na\r\n\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '*0\r\n',
      '*2\r\n*1\r\n$0\r\n\r\n:1\r\n',
      '%1\r\n+a\r\n#t\r\n',
      '-ERR 5\r\n',
    ];
    expect(cut('resp', resp.join(''), size)).toEqual(resp);
    const http = [
      'POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\r\na',
      'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\r\n\r\n1\r\nx\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nuntil it ends',
    ];
    expect(cut('http', http.join(''), size)).toEqual([...http.slice(0, -1), `open: ${http.at(-1)}`]);
  });
});
