// Pipelining (RFC 9112 §9.3.2): a step does what it says although its send came behind another on the same connection,
// where Node's response has no socket of its own yet.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Sandbox } from '../../dev/testing.ts';
import { OPT_IN, planned, startSandbox, untilSent } from './sandbox-client.ts';

it.each(['reset-before', 'reset-after'])('%s resets the connection also as the second send on it', async (step) => {
  const sandbox = await startSandbox();
  const socket = await pipeline(sandbox, ['hang', step]);
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  expect(sandbox.entry(step)?.sends[0]).toMatchObject({ status: null, applied: step === 'reset-after' });
});

it('a step that answers waits for its turn behind the first', async () => {
  const sandbox = await startSandbox();
  const socket = await pipeline(sandbox, ['slow:50', '503']);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  while (!text.includes('SERVICE_UNAVAILABLE')) await once(socket, 'data');
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 503']);
});

it('a hanging send behind another ends when its client leaves, and not only when the sandbox closes', async () => {
  const sandbox = await startSandbox();
  const before = countTimers();
  const socket = await pipeline(sandbox, ['hang', 'hang-applied']);
  await untilSent(sandbox, 'hang-applied');
  expect(countTimers()).toBeGreaterThanOrEqual(before + 2);
  socket.destroy();
  while (countTimers() > before) await new Promise(setImmediate);
  expect(sandbox.entry('hang-applied')?.sends[0]).toMatchObject({ status: null, applied: true });
});

/** Timers that keep this process alive: a send that hangs is one, and shows in no other way. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

/** Writes one send per step in a single chunk; the step is its key. */
async function pipeline(sandbox: Sandbox, steps: readonly string[]): Promise<Socket> {
  const socket = connect(sandbox.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(steps.map(requestOf).join(''));
  return socket;
}

function requestOf(step: string): string {
  const body = JSON.stringify(planned(step));
  const head = [
    `POST ${OPT_IN} HTTP/1.1`,
    'Host: sandbox',
    'x-api-key: sandbox-key',
    `Idempotency-Key: ${step}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
