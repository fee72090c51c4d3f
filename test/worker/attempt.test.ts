// One attempt against real servers that misbehave. The Pool is the worker's own.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Dispatcher, Pool } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import type { Outcome } from '../../core/outcome.ts';
import { attempt, DRAIN_BYTES, KEEP_BYTES } from '../../worker/attempt.ts';
import { Flights } from '../../worker/flights.ts';
import { createPool } from '../../worker/pool.ts';
import { type HttpRequest, requestsTo } from '../../worker/request.ts';

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function http(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

/** A server that speaks through a raw socket. */
async function tcp(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listen(server);
}

function target(baseUrl: string, destination: object = {}): { pool: Pool; request: HttpRequest } {
  const config = resolveConfig({ destinations: { a: { baseUrl, concurrency: 2, timeoutMs: 500, ...destination } } })
    .destinations.a!;
  const pool = createPool(config);
  onTestFinished(() => pool.destroy());
  const request = requestsTo({ name: 'a', config })({ method: 'POST', path: '/x', body: '{}', idempotencyKey: 'k' });
  if ('kind' in request) throw new Error(request.message);
  return { pool, request };
}

const DEADLINE_MS = 500;
const OPTIONS = {
  flights: new Flights(DEADLINE_MS),
  replayedHeader: 'Idempotent-Replayed',
  redact: (text: string): string => text,
};
const send = (baseUrl: string, options: Partial<typeof OPTIONS> = {}): Promise<Outcome> => {
  const { pool, request } = target(baseUrl);
  return attempt(pool, request, { ...OPTIONS, ...options });
};

describe('an attempt ends at its own deadline', () => {
  test('when the API never answers: no answer, it may be applied', async () => {
    const outcome = await send(await http(() => {}), { flights: new Flights(200) });
    expect(outcome).toMatchObject({ kind: 'no-answer', code: 'WAYBILL_DEADLINE' });
  });

  test('when it drips its headers', async () => {
    const url = await tcp((socket) => {
      const timer = setInterval(() => socket.write('H'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await send(url, { flights: new Flights(300) })).toMatchObject({ kind: 'no-answer' });
  });

  test('when it drips an error’s body: the status line decides', async () => {
    const url = await http((_request, response) => {
      response.writeHead(500);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await send(url, { flights: new Flights(250) })).toMatchObject({ kind: 'response', status: 500 });
  });

  test('when the worker stood still before it was sent: not sent any more', async () => {
    let seen = 0;
    const url = await http((_request, response) => {
      seen += 1;
      response.end('{}');
    });
    const { pool, request } = target(url);
    await attempt(pool, request, OPTIONS); // so that its connection is open
    const standStill: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
      const end = Date.now() + DEADLINE_MS + 20;
      while (Date.now() < end);
      return dispatch(options, handler);
    };
    const outcome = await attempt(pool.compose(standStill), request, OPTIONS);
    expect(outcome).toMatchObject({ kind: 'not-sent', code: 'WAYBILL_DEADLINE_QUEUED' });
    expect(await attempt(pool, request, OPTIONS)).toMatchObject({ status: 200 });
    expect(seen).toBe(2);
  });

  test('when it waits for a connection: not sent, and not sent later behind our back', async () => {
    let requests = 0;
    const url = await http(() => requests++);
    const { pool, request } = target(url);
    const busy = [
      attempt(pool, request, { ...OPTIONS, flights: new Flights(400) }),
      attempt(pool, request, { ...OPTIONS, flights: new Flights(400) }),
    ];
    const queued = await attempt(pool, request, { ...OPTIONS, flights: new Flights(100) });
    expect(queued).toMatchObject({ kind: 'not-sent', code: 'WAYBILL_DEADLINE_QUEUED' });
    await Promise.all(busy);
    await attempt(pool, request, { ...OPTIONS, flights: new Flights(200) });
    expect(requests).toBe(3);
  });
});

describe('what nothing was sent for is told apart from what may be applied', () => {
  test('refused', async () =>
    expect(await send('http://127.0.0.1:9')).toMatchObject({ kind: 'not-sent', code: 'ECONNREFUSED' }));
  test('a name that does not resolve', async () =>
    expect(await send('http://no-such-host.invalid', { flights: new Flights(5000) })).toMatchObject({
      kind: 'not-sent',
      code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string,
    }));
  test('TLS against a server that speaks none', async () => {
    const url = await tcp((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await send(url.replace('http:', 'https:'))).toMatchObject({ kind: 'not-sent' });
  });
  test('reset after the request', async () => {
    const url = await tcp((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect(await send(url)).toMatchObject({
      kind: 'no-answer',
      code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) as string,
    });
  });
  test('an answer that is no HTTP', async () => {
    const url = await tcp((socket) => void socket.once('data', () => socket.end('hello\r\n\r\n')));
    expect(await send(url)).toMatchObject({ kind: 'no-answer' });
  });
  test('closed without a word', async () => {
    const url = await tcp((socket) => void socket.once('data', () => socket.end()));
    expect(await send(url)).toMatchObject({ kind: 'no-answer' });
  });
});

test.each(['EHOSTUNREACH', 'ENETUNREACH', 'EPROTO', 'ERR_SSL_BAD_RECORD_MAC', 'ENOBUFS', 'ECONNREFUSED'])(
  '%s on a connection that the request went out on is no answer: it may be applied',
  async (code) => {
    const url = await http(() => {});
    const { pool, request } = target(url);
    const broken: Dispatcher = Object.assign(Object.create(pool) as Dispatcher, {
      dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) =>
        pool.dispatch(options, {
          onRequestStart: (controller, context) => {
            handler.onRequestStart?.(controller, context);
            setTimeout(() => controller.abort(Object.assign(new Error('x'), { code })), 20);
          },
          onResponseStart: () => {},
          onResponseData: () => {},
          onResponseEnd: () => {},
          onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
        }),
    });
    expect(await attempt(broken, request, OPTIONS)).toMatchObject({ kind: 'no-answer', code });
  },
);

describe('an answer', () => {
  test('is kept to a cap, and the connection is used again', async () => {
    const ports = new Set<number | undefined>();
    const url = await http((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume();
      response.writeHead(500).end('x'.repeat(KEEP_BYTES + 1000));
    });
    const { pool, request } = target(url);
    for (let i = 0; i < 8; i++) {
      const outcome = await attempt(pool, request, OPTIONS);
      expect(outcome.kind === 'response' && outcome.body?.length).toBe(KEEP_BYTES);
    }
    // Both connections of the Pool, and no more.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  test('that never ends costs its connection, not the destination', async () => {
    const url = await http((request, response) => {
      request.resume();
      response.writeHead(201);
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(DRAIN_BYTES), () => setImmediate(more));
      };
      more();
    });
    const { pool, request } = target(url);
    for (let i = 0; i < 6; i++)
      expect(await attempt(pool, request, OPTIONS)).toMatchObject({ kind: 'response', status: 201 });
  });

  test('that breaks off after its status line is that status', async () => {
    const url = await tcp(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{"a"')),
    );
    expect(await send(url)).toMatchObject({ kind: 'response', status: 201, cut: true });
  });

  test('that came to its end is not said to have broken off', async () => {
    const url = await http((_request, response) => response.writeHead(409).end('{"code":"A"}'));
    expect(await send(url)).not.toHaveProperty('cut');
  });

  test('that is a redirect is not followed', async () => {
    let requests = 0;
    const url = await http((request, response) => {
      requests++;
      request.resume();
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await send(url)).toMatchObject({ kind: 'response', status: 307 });
    expect(requests).toBe(1);
  });

  test('is redacted before anything is read of it', async () => {
    const url = await http((request, response) => {
      request.resume();
      response
        .writeHead(400, { 'x-request-id': 'req_hunter22' })
        .end('{"code":"X","message":"your key hunter22 is wrong"}');
    });
    const outcome = await send(url, { redact: (text) => text.replaceAll('hunter22', '[redacted]') });
    expect(outcome).toMatchObject({
      envelope: { message: 'your key [redacted] is wrong' },
      requestId: 'req_[redacted]',
    });
    expect(JSON.stringify(outcome)).not.toContain('hunter22');
  });

  test('cut at its cap keeps no half of a credential', async () => {
    const secret = 'hunter22-hunter22';
    const url = await http((request, response) => {
      request.resume();
      response.writeHead(400).end('x'.repeat(KEEP_BYTES - 5) + secret + 'y'.repeat(20_000));
    });
    const outcome = await send(url, { redact: (text) => text.replaceAll(secret, '[redacted]') });
    expect(outcome.kind === 'response' && outcome.body?.length).toBe(KEEP_BYTES);
    expect(JSON.stringify(outcome)).not.toContain('hunte');
  });

  test('100 at once, each on its own connection or after another, all arrive', async () => {
    const url = await http((request, response) => {
      request.resume();
      setTimeout(() => response.writeHead(201).end('{}'), 5);
    });
    const { pool, request } = target(url, { concurrency: 10 });
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => attempt(pool, request, { ...OPTIONS, flights: new Flights(5000) })),
    );
    expect(outcomes.every((outcome) => outcome.kind === 'response' && outcome.status === 201)).toBe(true);
  });
});

describe('the request', () => {
  const config = resolveConfig({
    destinations: {
      a: {
        baseUrl: 'https://api.example.com/base/',
        auth: { header: 'Authorization', env: 'X', prefix: 'Bearer ' },
        idempotency: { header: 'X-Idem' },
      },
    },
  }).destinations.a!;
  const write = {
    method: 'POST' as const,
    path: '/v1/x?a=b',
    body: '{"id":12345678901234567890}',
    idempotencyKey: 'k',
  };

  test('has the path behind the base URL, the credential, the key and the body byte for byte', () =>
    expect(
      requestsTo({ name: 'a', config, credential: 'Bearer s3cret' })({
        ...write,
        headers: { 'x-trace': '1', accept: 'text/plain' },
      }),
    ).toEqual({
      method: 'POST',
      path: '/base/v1/x?a=b',
      headers: {
        'user-agent': 'waybill',
        accept: 'text/plain',
        'content-type': 'application/json',
        'x-trace': '1',
        'X-Idem': 'k',
        Authorization: 'Bearer s3cret',
      },
      body: '{"id":12345678901234567890}',
    }));

  test.each(["/v1/x?name=O'Brien", '/a?', '/v1/%C3%BC;a=1', '/a//b', '/~x/@me:y'])('sends %s as it was given', (path) =>
    expect(requestsTo({ name: 'a', config })({ ...write, path })).toMatchObject({ path: `/base${path}` }),
  );

  test.each(['/../admin', '/x/%2e%2e/y', '//evil.example/x', '/\\evil.example'])(
    'never leaves the base URL: %s',
    (path) => {
      const bare = { ...config, baseUrl: 'https://api.example.com' };
      expect(requestsTo({ name: 'a', config: bare })({ ...write, path })).toMatchObject({ kind: 'blocked' });
    },
  );

  test.each(['authorization', 'x-idem'])('does not let a write set %s', (header) =>
    expect(requestsTo({ name: 'a', config })({ ...write, headers: { [header]: 'x' } })).toMatchObject({
      kind: 'blocked',
    }),
  );
});
