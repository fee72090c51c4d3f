// The sandbox API over HTTP: it behaves as a real one does, with idempotency, faults on request, and a ledger that knows how often
// each write was really applied.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { type ApiError, errorAnswer } from './answer.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { type Ledger, LedgerBook, type LedgerEntry } from './ledger.ts';
import { answerLedger, LEDGER_PATH } from './ledger-endpoint.ts';
import { type ResolvedOptions, resolveOptions, type SandboxOptions } from './options.ts';
import { PlanPositions } from './plan-positions.ts';
import { createRandomFaults } from './random-faults.ts';
import { type Api, NO_SUCH_PATH, receiveSend } from './send.ts';
import { type Wire, whole } from './wire.ts';
import { findWrite } from './writes.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Long, so that a client's idle connection is not closed just as it sends: no fault may come that nobody asked for. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const ONLY_POST: ApiError = {
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  message: 'This path takes POST only.',
  headers: { Allow: 'POST' },
};

export interface Sandbox {
  /** The origin, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** All sends up to now; a copy. */
  ledger(): Ledger;
  /** The sends of one idempotency key, undefined where none was seen; a copy. */
  entry(key: string): LedgerEntry | undefined;
  /** Ends every wait and destroys every connection, running writes included. Calling it again changes nothing. */
  close(): Promise<void>;
}

/**
 * Starts the sandbox API on a loopback port. It keeps the process alive until close() is called.
 *
 * Rejects with a RangeError that names every wrong option, and with an Error whose cause is the system's where the port
 * cannot be had. The rules it follows are the API's contract: error envelope, idempotency, authentication.
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return start(resolveOptions(options));
}

/**
 * The same on any address of this machine, for a network of its own such as that of containers. Apart from createSandbox,
 * so that no test opens its machine by an option: whoever reaches this address reads the ledger without a key.
 *
 * @param address an IP address; `0.0.0.0` and `::` are every one
 */
export async function createSandboxOn(address: string, options: Omit<SandboxOptions, 'host'>): Promise<Sandbox> {
  const resolved = resolveOptions(options);
  if (isIP(address) === 0)
    throw new RangeError(`The sandbox cannot start. host is ${inspect(address)}: an IP address.`);
  return start({ ...resolved, host: address });
}

async function start(options: ResolvedOptions): Promise<Sandbox> {
  const { port, host, apiKey, keyTtlMs, seed, faults, latencyMs } = options;
  const ledger = new LedgerBook();
  const api: Api = {
    apiKeys: typeof apiKey === 'string' ? [apiKey] : apiKey,
    latencyMs,
    ledger,
    keys: new IdempotencyKeys(keyTtlMs),
    positions: new PlanPositions(),
    drawFault: createRandomFaults(faults, seed),
  };
  const closing = new AbortController();
  const timeouts = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  };
  const server = createServer(timeouts, (request, response) => void serve(api, request, response, closing.signal));
  const boundPort = await listen(server, port, host);
  let closed: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    port: boundPort,
    ledger: () => ledger.snapshot(),
    entry: (key) => ledger.entry(key),
    close: () => (closed ??= close(server, closing)),
  };
}

async function close(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The sandbox cannot listen on ${host}, port ${port}: ${why}. Choose another port, or 0.`, {
      cause,
    });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The sandbox listens on no TCP port.');
  return address.port;
}

async function serve(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  // A client that leaves while an answer is written is no error of the sandbox.
  response.on('error', () => undefined);
  const wire: Wire = { response, requestId: `req_${randomUUID()}`, closing, onStatus: () => undefined };
  try {
    await route(api, request, wire);
  } catch (error) {
    if (closing.aborted) return;
    // A bug in here: loud, and without an answer that a client could mistake for the API's.
    process.emitWarning(error instanceof Error ? error : String(error));
    response.destroy();
  }
}

function route(api: Api, request: IncomingMessage, wire: Wire): Promise<void> {
  const pathname = (request.url ?? '/').replace(/\?.*$/s, '');
  if (pathname === LEDGER_PATH) return answerLedger(api.ledger, request, wire);
  if (request.method === 'POST') return receiveSend(api, request, wire);
  const error = findWrite(pathname) === undefined ? NO_SUCH_PATH : ONLY_POST;
  return whole(wire, errorAnswer(error, wire.requestId));
}
