// openapi.json, made from the routes as they are registered.
import swagger from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { DashboardApp } from './app.ts';

/** To be called before the routes are put up. */
export async function describe(app: DashboardApp, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Waybill dashboard',
        version,
        description:
          'Every error is {code, message, request_id, details}. A script sends Authorization: Bearer TOKEN; a browser its session cookie, and with every write x-csrf-token.',
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'waybill_session' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: jsonSchemaTransform,
    // A name of our own: a host application may have the plugin too.
    decorator: 'waybillOpenapi' as 'swagger',
  });
}
