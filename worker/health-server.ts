// The health port: /livez, /readyz and /metrics, for whoever runs the worker. It answers nothing else, reads no body, and
// holds no secret.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WaybillError } from '../core/errors.ts';
import { codeOf } from '../core/outcome.ts';

export interface HealthAnswer {
  ok: boolean;
  /** Says why; one JSON object. */
  body: Record<string, unknown>;
}

export interface HealthSource {
  live(): HealthAnswer;
  ready(): Promise<HealthAnswer>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const PATHS = ['/livez', '/readyz', '/metrics'];
const LIMITS = { maxHeaderSize: 8192, headersTimeout: 2000, requestTimeout: 2000, keepAliveTimeout: 5000 } as const;
/** Node looks for requests past their time so often. */
const CHECK_MS = 1000;
const MAX_CONNECTIONS = 64;

/**
 * @param port 0 for a free one
 * @throws WaybillError INVALID_CONFIG when it cannot listen there
 */
export async function serveHealth(
  { host, port }: { host: string; port: number },
  source: HealthSource,
): Promise<HealthServer> {
  const server = createServer({ ...LIMITS, connectionsCheckingInterval: CHECK_MS }, (request, response) => {
    const { method = '', url = '' } = request;
    const [path = ''] = url.split('?', 1);
    // A body is nobody's business here.
    request.resume();
    answer(method, path, source, response).catch(() => {
      if (!response.headersSent) send(response, 500, JSON_TYPE, json({ error: 'the answer could not be made' }));
      else response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = codeOf(error);
    const why = code === 'EADDRINUSE' ? 'it is in use; take another port, or 0 for a free one' : code;
    throw new WaybillError('INVALID_CONFIG', `health.port: cannot listen on ${host}, port ${port}: ${why}`);
  }
  server.on('error', () => {});
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(method: string, path: string, source: HealthSource, response: ServerResponse): Promise<void> {
  if (!PATHS.includes(path)) return send(response, 404, JSON_TYPE, json({ error: `there is ${PATHS.join(', ')}` }));
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, JSON_TYPE, json({ error: 'only GET and HEAD' }));
  }
  if (path === '/metrics') return send(response, 200, METRICS_TYPE, await source.metrics());
  const { ok, body } = path === '/livez' ? source.live() : await source.ready();
  send(response, ok ? 200 : 503, JSON_TYPE, json(body));
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  // Node leaves the body out of the answer to HEAD.
  response.end(body);
}

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
