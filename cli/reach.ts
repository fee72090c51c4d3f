// Is an API there? A name, a connection and, for https, a handshake; then the connection is closed. No byte of HTTP is
// sent: whatever listens there has nothing to apply.
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { codeOf } from '../core/outcome.ts';

const REACH_WITHIN_MS = 5000;

export interface Reached {
  /** What the name stands for. */
  addresses: string[];
  /** The connection, without name and handshake. */
  connectMs: number;
  tls?: Handshake;
}

export interface Handshake {
  protocol: string;
  /** Until when the certificate is valid, epoch ms. */
  validUntil: number;
  /** The code of what is wrong with the certificate. */
  fault?: string;
}

export type Reach = Reached | { failedAt: 'name' | 'connection' | 'handshake'; code: string };

/** Never throws for what the network does, and never takes longer than the limit. */
export async function reach(baseUrl: string, limitMs = REACH_WITHIN_MS): Promise<Reach> {
  const { protocol, hostname, port } = new URL(baseUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const limit = AbortSignal.timeout(limitMs);
  let step: 'name' | 'connection' | 'handshake' = 'name';
  let socket: Socket | undefined;
  try {
    const found = await within(limit, lookup(host, { all: true }));
    const addresses = found.map(({ address }) => address);
    step = 'connection';
    const startedAt = performance.now();
    socket = connect({ host, port: Number(port) || (isTls ? 443 : 80) });
    socket.on('error', () => {}); // whoever waits for the step is told
    await once(socket, 'connect', { signal: limit });
    const reached = { addresses, connectMs: performance.now() - startedAt };
    if (!isTls) return reached;
    step = 'handshake';
    return { ...reached, tls: await shakeHands(socket, host, limit) };
  } catch (error) {
    return { failedAt: step, code: limit.aborted ? 'ETIMEDOUT' : codeOf(error) };
  } finally {
    socket?.destroy();
  }
}

async function shakeHands(socket: Socket, host: string, limit: AbortSignal): Promise<Handshake> {
  // A certificate that does not convince is looked at all the same: a worker, which refuses it, says less about it.
  const secured: TLSSocket = connectTls({
    socket,
    ...(isIP(host) === 0 && { servername: host }),
    host,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
  try {
    await once(secured, 'secureConnect', { signal: limit });
    const { authorized, authorizationError } = secured;
    return {
      protocol: secured.getProtocol() ?? 'unknown',
      validUntil: Date.parse(secured.getPeerCertificate().valid_to),
      ...(!authorized && { fault: faultOf(authorizationError) }),
    };
  } finally {
    secured.on('error', () => {}); // its end may come while it is closed
    secured.destroy();
  }
}

/** Declared as an Error, and in fact a code. */
function faultOf(error: unknown): string {
  return typeof error === 'string' ? error : codeOf(error);
}

/** A lookup cannot be ended, only left. */
async function within<T>(limit: AbortSignal, task: Promise<T>): Promise<T> {
  const expired = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error('time is up')), { once: true });
  });
  return Promise.race([task, expired]);
}
