// The whole API and the page, on an instance of fastify that may be a host application's.
import type { FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { type Access, createAccess, type AccessOptions } from './access/access.ts';
import { guard } from './access/guard.ts';
import { sessionRoutes } from './access/session-routes.ts';
import type { DashboardApp, DashboardContext } from './app.ts';
import { sendError } from './errors.ts';
import { setHeaders } from './headers.ts';
import { eventRoutes } from './live/events.ts';
import { createWatcher } from './live/watcher.ts';
import { describe } from './openapi.ts';
import { keepOperationsGoing } from './operations-runner.ts';
import { servePage } from './page.ts';
import { dataRoutes } from './routes/data.ts';

export interface DashboardParts {
  context: DashboardContext;
  access: Omit<AccessOptions, 'path' | 'settings'>;
  live: { everyMs: number; pingMs: number };
}

export async function putUp(host: FastifyInstance, { context, access: ways, live }: DashboardParts): Promise<void> {
  const app = host as unknown as DashboardApp;
  const access: Access = createAccess({
    ...ways,
    settings: context.config.dashboard,
    path: app.prefix === '' ? '/' : app.prefix,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => sendError(error, request as never, reply as never));
  // JSON and nothing else: no form of another page can send it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  setHeaders(app);
  guard(app, access);
  await describe(app, context.version);

  sessionRoutes(app, context, access);
  eventRoutes(app, { access, watcher: createWatcher(context.reader, live.everyMs), pingMs: live.pingMs });
  dataRoutes(app, context);
  keepOperationsGoing(app, context);
  app.get('/openapi.json', { schema: { hide: true } }, async () => (app as unknown as Described).waybillOpenapi());
  await servePage(app);
}

interface Described {
  waybillOpenapi(): object;
}
