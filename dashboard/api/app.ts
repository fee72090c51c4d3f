// How a route of the contract is put up: its place, method and least role come from the table, its input and its answer
// from zod. A handler gets what was checked, and who asks.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Config } from '../../core/config.ts';
import type { Role } from '../../core/role.ts';
import { MAX_BODY_BYTES } from '../../core/write.ts';
import type { Reader } from '../../queue/reader.ts';
import { type RouteName, ROUTES } from './contract/routes.ts';
import { errorEnvelope } from './contract/session.ts';
import { visitOf } from './access/visit.ts';

export type DashboardApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface User {
  /** As the audit names him. */
  name: string;
  role: Role;
}

/** What the handlers stand on. */
export interface DashboardContext {
  config: Config;
  /** Waybill's. */
  version: string;
  /**
   * One for all requests; opened when the first one asks.
   * @throws WaybillError QUEUE_UNAVAILABLE when Redis is not reached within 5 s
   */
  reader: () => Promise<Reader>;
}

export interface RouteSchemas<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType> {
  params?: P;
  query?: Q;
  body?: B;
  /** What it does not name is left out of the answer. Left out itself where the handler sends a stream. */
  answer?: A;
  /** In place of ANSWERED. */
  status?: 200 | 201 | 204;
  /** For people who read openapi.json. */
  summary: string;
  /** Of a stream: what it may be. */
  contentTypes?: readonly string[];
  /** In place of BODY_LIMIT_BYTES. */
  bodyLimitBytes?: number;
}

type UserOf<N extends RouteName> = (typeof ROUTES)[N]['role'] extends 'anyone' ? User | undefined : User;

export interface Asked<N extends RouteName, P, Q, B> {
  params: P;
  query: Q;
  body: B;
  user: UserOf<N>;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Where nothing else is said: the largest body of a write, as JSON in JSON, where every quote is escaped. */
const BODY_LIMIT_BYTES = 2 * MAX_BODY_BYTES + 1024 * 1024;
const ANSWERED = 200;

/** In the route's `config`, where the guard finds it. */
export interface RouteConfig {
  waybill: { name: RouteName; role: Role | 'anyone' };
}

/** @param handler what it returns is the answer; a stream is sent as it is, with the headers that it set on `reply` */
export function route<
  N extends RouteName,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUnknown,
>(
  app: DashboardApp,
  name: N,
  schemas: RouteSchemas<P, Q, B, A>,
  handler: (asked: Asked<N, z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.output<A>> | z.output<A>,
): void {
  const { method, path, role } = ROUTES[name];
  const { params, query, body, answer, summary, contentTypes, status = ANSWERED } = schemas;
  const config: RouteConfig = { waybill: { name, role } };
  const schema: FastifySchema = {
    operationId: name,
    summary,
    ...(role === 'anyone' && { security: [] }),
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    response: { ...(answer ? { [status]: answer } : streams(contentTypes, status)), ...ERRORS },
  };
  app.route({
    method,
    url: path,
    // It would do the work of a GET, and open a stream that nobody reads.
    exposeHeadRoute: false,
    bodyLimit: schemas.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    config,
    schema,
    handler: async (request, reply) => {
      reply.code(status);
      return handler({
        params: request.params as z.output<P>,
        query: request.query as z.output<Q>,
        body: request.body as z.output<B>,
        user: visitOf(request).user as UserOf<N>,
        request,
        reply,
      });
    },
  });
}

const ERRORS = { '4xx': errorEnvelope, '5xx': errorEnvelope };

function streams(contentTypes: readonly string[] | undefined, status: number): object {
  if (!contentTypes) return {};
  const content = Object.fromEntries(contentTypes.map((type) => [type, { schema: z.string() }]));
  return { [status]: { description: 'a stream', content } };
}
