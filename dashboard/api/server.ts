// A server of the dashboard's own: limits on every request, one log line for each, and an end within a bounded time.
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { type DestinationStream, pino } from 'pino';
import type { Config } from '../../core/config.ts';
import { errorFields } from '../../core/error-fields.ts';
import { WaybillError } from '../../core/errors.ts';
import { codeOf } from '../../core/outcome.ts';
import { peerCheck } from './access/peers.ts';
import { visitOf } from './access/visit.ts';
import { notFound, sendError } from './errors.ts';
import { isPageBuilt, PAGE_MISSING } from './page.ts';

interface ServerOptions {
  host: string;
  port: number;
  trustedProxy: Config['dashboard']['trustedProxy'];
  level: Config['log']['level'];
  logTo: DestinationStream | undefined;
}

const REQUEST_LIMIT_MS = 30_000;
const KEEP_ALIVE_MS = 5000;
const CLOSE_LIMIT_MS = 5000;
const MAX_CONNECTIONS = 1000;

export async function listen(
  { host, port, trustedProxy, level, logTo }: ServerOptions,
  putUp: (app: FastifyInstance) => unknown,
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const log = pino(
    {
      level,
      base: { dashboard: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFields },
    },
    logTo ?? standardOutput(),
  );
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `req_${randomUUID()}`,
    requestTimeout: REQUEST_LIMIT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // Who is at the other end of a proxy, and whether by https, is believed of this proxy alone.
    ...(trustedProxy && { trustProxy: peerCheck(trustedProxy.from) }),
    frameworkErrors: (error, request, reply) => void sendError(error, request as never, reply as never),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setNotFoundHandler((request, reply) => sendError(notFound('there is nothing here'), request, reply));
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.addHook('onResponse', async (request, reply) => {
    const { user } = visitOf(request);
    // Without the query, in which one may search for what is nobody's business; no header is ever logged.
    const [path] = request.url.split('?', 1);
    log.info(
      {
        request_id: request.id,
        method: request.method,
        path,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        user: user?.name ?? null,
        address: request.ip,
      },
      'request',
    );
  });
  await putUp(app);
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const code = codeOf(error);
    const why = code === 'EADDRINUSE' ? 'it is in use; take another port, or 0 for a free one' : code;
    throw new WaybillError('INVALID_CONFIG', `dashboard.port: cannot listen on ${host}, port ${port}: ${why}`);
  }
  const address = app.server.address();
  const listening = typeof address === 'object' && address ? address.port : port;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`;
  log.info({ url }, 'dashboard started');
  if (!isPageBuilt()) log.warn(PAGE_MISSING);
  return {
    url,
    port: listening,
    close: async () => {
      const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_LIMIT_MS);
      await app.close();
      clearTimeout(cut);
      log.info('dashboard stopped');
    },
  };
}

/** Node's own stream: a full disk or a reader that is gone costs lines, and not the server. */
function standardOutput(): DestinationStream {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => {});
  return { write: (line) => void process.stdout.write(line) };
}
