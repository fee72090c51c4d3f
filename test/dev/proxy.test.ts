// The fault proxy, in front of a server that echoes: tests of outages stand on these modes being what they say.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type FaultProxy, startProxy } from '../support/proxy.ts';

const SILENCE_MS = 100;

let proxy: FaultProxy;
let served: string;

beforeEach(async () => {
  served = '';
  const echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      served += bytes.toString();
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (typeof address !== 'object' || !address) throw new Error('the echo server has no port');
  proxy = await startProxy({ host: '127.0.0.1', port: address.port });
  return async () => {
    await proxy.close();
    echo.close();
  };
});

function dial() {
  const socket = connect(proxy.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const client = { socket, received: '', failure: '' };
  socket.on('data', (bytes: Buffer) => (client.received += bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (client.failure = error.code ?? error.message));
  return client;
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));
const seen = (what: () => string, text: string) => expect.poll(what, { interval: 5 }).toBe(text);

test('without a fault it forwards both ways', async () => {
  const client = dial();
  client.socket.write('hello');
  await seen(() => client.received, 'hello');
  expect(proxy.url('http', '/v1')).toBe(`http://127.0.0.1:${proxy.port}/v1`);
});

test('a client that has closed its side still gets the reply', async () => {
  const client = dial();
  client.socket.end('last words');
  await closed(client.socket);
  expect(client).toMatchObject({ received: 'last words', failure: '' });
});

test('refuse resets the connections, refuses new ones, and restore serves the same port', async () => {
  const before = dial();
  before.socket.write('a');
  await seen(() => before.received, 'a');

  const cut = closed(before.socket);
  await proxy.refuse();
  await cut;
  expect(before.failure).toBe('ECONNRESET');
  const during = dial();
  await closed(during.socket);
  expect(during.failure).toBe('ECONNREFUSED');

  await proxy.restore();
  const after = dial();
  after.socket.write('b');
  await seen(() => after.received, 'b');
});

test('a black hole accepts and passes nothing either way, and restore lets the bytes through', async () => {
  const open = dial();
  open.socket.write('1');
  await seen(() => open.received, '1');

  proxy.blackhole();
  const late = dial();
  await once(late.socket, 'connect');
  open.socket.write('2');
  late.socket.write('3');
  await sleep(SILENCE_MS);
  expect(served).toBe('1');
  expect([open.received, late.received]).toEqual(['1', '']);

  await proxy.restore();
  await seen(() => open.received, '12');
  await seen(() => late.received, '3');
});

test('paused replies: the server has served the request, the client has read nothing', async () => {
  proxy.pauseReplies();
  const client = dial();
  client.socket.write('request');
  await seen(() => served, 'request');
  await sleep(SILENCE_MS);
  expect(client.received).toBe('');

  await proxy.restore();
  await seen(() => client.received, 'request');
});

test('killed sockets are reset, with a reply that was on the way lost, and new ones are served', async () => {
  proxy.pauseReplies();
  const client = dial();
  client.socket.write('request');
  await seen(() => served, 'request');
  const cut = closed(client.socket);
  proxy.killSockets();
  await cut;
  expect(client).toMatchObject({ received: '', failure: 'ECONNRESET' });

  await proxy.restore();
  const next = dial();
  next.socket.write('again');
  await seen(() => next.received, 'again');
});

test('an observer sees a request after it was handed over, and can hold back the reply to it', async () => {
  const client = dial();
  const observed: string[] = [];
  const stop = proxy.onRequest((bytes) => {
    observed.push(bytes.toString());
    if (bytes.includes('EVALSHA')) proxy.pauseReplies();
  });
  client.socket.write('PING');
  await seen(() => client.received, 'PING');
  client.socket.write('EVALSHA');
  await seen(() => served, 'PINGEVALSHA');
  await sleep(SILENCE_MS);
  expect(client.received).toBe('PING');

  stop();
  await proxy.restore();
  client.socket.write('!');
  await seen(() => client.received, 'PINGEVALSHA!');
  expect(observed).toEqual(['PING', 'EVALSHA']);
});

test('an observer that cuts the connection has let the request reach the server', async () => {
  const client = dial();
  proxy.onRequest(() => proxy.killSockets());
  client.socket.write('request');
  await closed(client.socket);
  await seen(() => served, 'request');
  expect(client.received).toBe('');
});
