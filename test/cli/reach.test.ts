// On real servers: what doctor does to an API, and above all what it does not.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { reach } from '../../cli/reach.ts';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const pem = (name: string): string => readFileSync(new URL(`../redis/certificates/${name}`, import.meta.url), 'utf8');

test('an API gets a connection and not one byte', async () => {
  const got: Buffer[] = [];
  const server = createServer((socket) => socket.on('data', (bytes: Buffer) => got.push(bytes)).on('error', () => {}));
  const port = await listen(server);
  const connected = once(server, 'connection');
  expect(await reach(`http://localhost:${port}/v1`)).toEqual({
    addresses: expect.arrayContaining(['127.0.0.1']) as string[],
    connectMs: expect.any(Number) as number,
  });
  const [socket] = (await connected) as [{ closed: boolean } & NodeJS.EventEmitter];
  if (!socket.closed) await once(socket, 'close');
  expect(got).toEqual([]);
});

test('a certificate is told with its end and what is wrong with it; nothing is sent through it', async () => {
  const got: Buffer[] = [];
  const server = createTlsServer({ cert: pem('server.crt'), key: pem('server.key') }, (socket) =>
    socket.on('data', (bytes: Buffer) => got.push(bytes)).on('error', () => {}),
  );
  const port = await listen(server);
  expect(await reach(`https://127.0.0.1:${port}`)).toMatchObject({
    addresses: ['127.0.0.1'],
    tls: { protocol: 'TLSv1.3', validUntil: Date.UTC(2120, 0, 1), fault: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  });
  expect(got).toEqual([]);
});

test('a server that never shakes hands is left at the limit', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => {})));
  expect(await reach(`https://127.0.0.1:${port}`, 200)).toEqual({ failedAt: 'handshake', code: 'ETIMEDOUT' });
});

test('a server that speaks no TLS fails the handshake, a closed port the connection', async () => {
  const port = await listen(
    createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  expect(await reach(`https://127.0.0.1:${port}`)).toEqual({
    failedAt: 'handshake',
    code: expect.stringMatching(/^E(RR_SSL|PROTO|CONNRESET)/) as string,
  });
  expect(await reach('http://127.0.0.1:1')).toEqual({ failedAt: 'connection', code: 'ECONNREFUSED' });
  expect(await reach('http://[::1]:1')).toMatchObject({ failedAt: 'connection' });
});
