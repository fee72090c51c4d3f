// What a hostile head costs a worker: undici makes an error for each header past its limit, in what it has read at once.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import { attempt } from '../../worker/attempt.ts';
import { Flights } from '../../worker/flights.ts';
import { createPool } from '../../worker/pool.ts';

async function poolBefore(answer: (socket: Socket) => void): Promise<Dispatcher> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const api = resolveConfig({ destinations: { api: { baseUrl: `http://127.0.0.1:${port}` } } }).destinations.api;
  if (!api) throw new Error('no destination');
  const pool = createPool(api);
  onTestFinished(async () => {
    await pool.destroy();
    server.close();
  });
  return pool;
}

test('a head of 60 KB of short headers is no answer', async () => {
  const pool = await poolBefore((socket) => socket.end(`HTTP/1.1 400 X\r\n${'a: b\r\n'.repeat(10_000)}\r\n`));
  const outcome = await attempt(pool, { method: 'POST', path: '/', headers: {}, body: '{}' } as never, {
    flights: new Flights(20_000),
    replayedHeader: 'idempotent-replayed',
    redact: (text) => text,
  });
  expect(outcome).toMatchObject({ kind: 'no-answer', code: 'UND_ERR_HEADERS_OVERFLOW' });
});

test('an answer is read in pieces of 4 KB, and whole', async () => {
  const body = 'b'.repeat(200_000);
  const pool = await poolBefore((socket) =>
    socket.end(`HTTP/1.1 400 X\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
  );
  const sizes: number[] = [];
  await new Promise<void>((resolve, reject) =>
    pool.dispatch(
      { path: '/', method: 'POST', body: '{}' },
      {
        onRequestStart: () => {},
        onResponseStart: () => {},
        onResponseData: (_controller, piece) => void sizes.push(piece.length),
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    ),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(body.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
});
